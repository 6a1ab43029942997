"""A model of PostgreSQL's side of the protocol, small enough to be read and compared with its manual.

A text does what its first word says: `row` gives one row that holds the text, `fail` fails when it
runs, `change N` changes N rows, `copyin` and `copyout` copy, `prepare NAME TEXT` and `open NAME TEXT` define a name from
within SQL, `drop NAME` forgets it, `begin` and `commit` do that, everything else is done without a
result. Text that is not UTF-8 is an error. A text with `forbidden` or `dbgate` in it is refused when it is parsed. Texts of a simple
Query are parted by `;`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from dbgate_core.pgwire.messages import HEADER, HEADER_BYTES, encode_fields, message

CHANGING = ("change", "copyin")
ENDS = frozenset({"begin", "commit"})


class Failed(Exception):
    """An ErrorResponse."""

    def __init__(self, sqlstate: str, text: str = "failed") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def description(text: str) -> bytes:
    """RowDescription of one column that is named like the text."""
    column = text.encode() + b"\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    return message(b"T", struct.pack("!H", 1) + column)


def row(text: str) -> bytes:
    """The DataRow of a text."""
    return message(b"D", struct.pack("!Hi", 1, len(text)) + text.encode())


def error(sqlstate: str, text: str = "failed") -> bytes:
    return message(b"E", encode_fields({"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": text}))


@dataclass
class Server:
    """Feed it the client's bytes, take what it answers. `ran` is every text that it began to run.

    `kept` are the changes that were committed. With a `cap` it refuses by itself, as no PostgreSQL
    does, a text that changes more rows, and one that changes rows beside transaction commands.
    """

    ran: list[str] = field(default_factory=list)
    statements: dict[str, str] = field(default_factory=dict)
    portals: dict[str, str] = field(default_factory=dict)
    status: str = "I"
    _data: bytes = b""
    _out: list[bytes] = field(default_factory=list)
    _skipping: bool = False
    _copying: str = ""
    _rest: list[str] = field(default_factory=list)
    cap: int | None = None
    kept: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)
    _counted: int = 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes; give what they are answered with."""
        self._data += data
        while len(self._data) >= HEADER_BYTES:
            kind, length = HEADER.unpack_from(self._data)
            if len(self._data) < 1 + length:
                break
            body, self._data = self._data[5 : 1 + length], self._data[1 + length :]
            self._message(chr(kind), body)
        out, self._out = b"".join(self._out), []
        return out

    def _say(self, kind: bytes, body: bytes = b"") -> None:
        self._out.append(message(kind, body))

    def _ready(self) -> None:
        if self.status == "I":
            self.portals.clear()
            self._commit()
        self._say(b"Z", self.status.encode())

    def _message(self, kind: str, body: bytes) -> None:
        if self._copying and kind in "dcfHS":
            self._copy(kind, body)
            return
        if kind in "dcfHX" or (self._skipping and kind != "S"):
            return
        try:
            if kind == "Q":
                self.statements.pop("", None)
                self.portals.pop("", None)
                self._simple(body[:-1].decode().split(";"))
            elif kind == "S":
                self._skipping = False
                self._ready()
            else:
                self._counted = 0
                self._extended(kind, body)
        except Failed as exc:
            self._fail(exc, simple=kind == "Q")
        except UnicodeDecodeError:
            self._fail(Failed("22021"), simple=kind == "Q")

    def _fail(self, exc: Failed, *, simple: bool) -> None:
        self._out.append(error(exc.sqlstate))
        self._copying = ""
        self._rest = []
        self._changed.clear()
        self.status = "I" if self.status == "I" else "E"
        if simple:
            self._ready()
        else:
            self._skipping = True

    def _commit(self) -> None:
        self.kept += self._changed
        self._changed.clear()

    def _count(self, text: str) -> None:
        self._changed.append(text)
        self._counted += int(text.split()[1]) if text.startswith("change") else 1
        if self.cap is not None and self._counted > self.cap:
            raise Failed("54000")

    def _simple(self, texts: list[str]) -> None:
        self._counted = 0
        changes = any(text.startswith(CHANGING) for text in texts)
        if self.cap is not None and changes and not ENDS.isdisjoint(texts):
            raise Failed("54000")
        for text in texts:  # the whole string is parsed before its first statement is looked at
            self._parse_text(text)
        for text in texts:
            self._check(text)
        self._rest = list(texts)
        self._go_on()

    def _go_on(self) -> None:
        while self._rest:
            text = self._rest.pop(0)
            if text.startswith("row"):
                self._out.append(description(text))
            self._run(text, simple=True)
            if self._copying:
                return
        self._ready()

    def _parse_text(self, text: str) -> None:
        if "forbidden" in text or "dbgate" in text:
            raise Failed("42501")

    def _check(self, text: str) -> None:
        self._parse_text(text)
        if self.status == "E" and text.lower() not in ("commit", "rollback"):
            raise Failed("25P02")

    def _extended(self, kind: str, body: bytes) -> None:
        names = body.split(b"\0")
        first = names[0].decode()
        if kind == "P":
            self._parse(first, names[1].decode())
        elif kind == "B":
            self._bind(first, names[1].decode())
        elif kind in "DC":
            self._look(kind, first[:1], first[1:])
        elif kind == "E":
            if first not in self.portals:
                raise Failed("34000")
            self._run(self.portals[first], simple=False)

    def _parse(self, name: str, text: str) -> None:
        if not name:
            self.statements.pop("", None)
        self._check(text)
        if name in self.statements:
            raise Failed("42P05")
        self.statements[name] = text
        self._say(b"1")

    def _bind(self, portal: str, name: str) -> None:
        if name not in self.statements:
            raise Failed("26000")
        self._check(self.statements[name])
        if portal and portal in self.portals:
            raise Failed("42P03")
        self.portals[portal] = self.statements[name]
        self._say(b"2")

    def _look(self, kind: str, what: str, name: str) -> None:
        names = self.statements if what == "S" else self.portals
        if kind == "C":
            names.pop(name, None)
            self._say(b"3")
            return
        if name not in names:
            raise Failed("26000" if what == "S" else "34000")
        if what == "S":
            self._say(b"t", struct.pack("!H", 0))
        text = names[name]
        if text.startswith("row"):
            self._out.append(description(text))
        else:
            self._say(b"n")

    def _run(self, text: str, *, simple: bool) -> None:
        self._check(text)
        self.ran.append(text)
        word, _, rest = text.partition(" ")
        if word == "fail":
            raise Failed("22012")
        if word in ("copyin", "copybad"):
            self._say(b"G", b"\0\0\0")
            self._copying = "simple" if simple else "extended"
            if word == "copybad":
                raise Failed("P0001")
            return
        if word == "copyout":
            self._say(b"H", b"\0\0\0")
            self._say(b"d", text.encode())
            self._say(b"c")
        elif word == "row":
            self._out.append(row(text))
        self._names(word.lower(), rest)
        tag = f"{word.upper()} 1"
        if word == "change":
            self._count(text)
            tag = f"UPDATE {rest}"
        self._say(b"C", tag.encode() + b"\0")

    def _names(self, word: str, rest: str) -> None:
        name, _, text = rest.partition(" ")
        if word == "begin":
            self.status = "T"
        elif word in ("commit", "rollback"):
            if word == "rollback":
                self._changed.clear()
            self._commit()
            self.status = "I"
            self.portals.clear()
        elif word == "prepare":
            if name in self.statements:
                raise Failed("42P05")
            self.statements[name] = text
        elif word == "open":
            self.portals[name] = text
        elif word == "drop":
            self.statements.pop(name, None)
            self.portals.pop(name, None)

    def _copy(self, kind: str, body: bytes) -> None:
        simple = self._copying == "simple"
        if kind == "f" or (kind == "d" and b"bad" in body):
            self._fail(Failed("22P04"), simple=simple)
        elif kind == "c":
            self._copying = ""
            try:
                self._count("copyin")
            except Failed as exc:
                self._fail(exc, simple=simple)
                return
            self._say(b"C", b"COPY 1\0")
            if simple:
                self._go_on()
