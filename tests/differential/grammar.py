"""What a client may say, as strategies: single messages in any order, and the idioms of real drivers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import chain

from hypothesis import strategies as st

from dbgate_core.pgwire.messages import message
from tests.differential import texts

BINARY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_ROW = b"\0\2\0\0\0\4\0\0\0\5\0\0\0\1b"
BINARY_END = b"\xff\xff"
STATEMENTS = ("", "s", "t")
PORTALS = ("", "p", "q")


@dataclass(frozen=True)
class Say:
    """One message, or one wait for the answers to what was said; shown by its label."""

    label: str
    data: bytes = b""

    def __repr__(self) -> str:
        return self.label


WAIT = Say("wait")
SYNC = Say("sync", message(b"S", b""))
FLUSH = Say("flush", message(b"H", b""))
COPY_DONE = Say("copy done", message(b"c", b""))
COPY_FAIL = Say("copy fail", message(b"f", b"given up\0"))
Move = tuple[Say, ...]
Arguments = tuple[tuple[bytes | None, ...], int]


def query(text: str) -> Say:
    return Say(f"query {text!r}", message(b"Q", text.encode() + b"\0"))


def parse(name: str, text: str, types: tuple[int, ...] = ()) -> Say:
    oids = struct.pack(f"!H{len(types)}I", len(types), *types)
    label = f"parse {name!r} {text!r} {types or ''}"
    return Say(label, message(b"P", f"{name}\0{text}\0".encode() + oids))


def bind(portal: str, name: str, given: Arguments, shown: int) -> Say:
    """Parameters all of one format, and one format for all columns of the result."""
    values, form = given
    parts = [struct.pack("!HhH", 1, form, len(values))]
    for value in values:
        parts.append(
            b"\xff\xff\xff\xff" if value is None else struct.pack("!I", len(value)) + value
        )
    parts.append(struct.pack("!Hh", 1, shown))
    label = f"bind {portal!r} to {name!r} {values} format {form} results {shown}"
    return Say(label, message(b"B", f"{portal}\0{name}\0".encode() + b"".join(parts)))


def describe(kind: str, name: str) -> Say:
    return Say(f"describe {kind} {name!r}", message(b"D", f"{kind}{name}\0".encode()))


def execute(portal: str, limit: int) -> Say:
    body = portal.encode() + b"\0" + struct.pack("!I", limit)
    return Say(f"execute {portal!r} limit {limit}", message(b"E", body))


def close(kind: str, name: str) -> Say:
    return Say(f"close {kind} {name!r}", message(b"C", f"{kind}{name}\0".encode()))


def copy_data(data: bytes) -> Say:
    shown = repr(data) if len(data) < 60 else f"{data[:9]!r}... of {len(data)} bytes"
    return Say(f"copy data {shown}", message(b"d", data))


statement_names = st.sampled_from(STATEMENTS)
portal_names = st.sampled_from(PORTALS)
limits = st.sampled_from((0, 0, 1, 2))
arguments = st.one_of(
    st.tuples(st.sampled_from([(), (), (b"2",), (b"0",), (b"x",), (None,), (b"1", b"2")]), st.just(0)),
    st.tuples(st.sampled_from([(b"\0\0\0\3",), (b"\0",)]), st.just(1)),
)  # fmt: skip
results = st.sampled_from((0, 0, 1))
waits = st.sampled_from([(WAIT,), ()])
ends = st.sampled_from([(SYNC, WAIT), (SYNC,), (FLUSH, WAIT), (FLUSH,), ()])
payload = st.sampled_from(
    [b"1\ta\n", b"2\tb\n3\tc\n", b"4", b",x\n", b"5,csv\n", b"wrong\n", b"x\ty\n", b"\\.\n", b"",
     BINARY_HEAD + BINARY_ROW + BINARY_END, b"6\t" + b"z" * 70_000 + b"\n"]
)  # fmt: skip
copy_parts = st.lists(
    st.one_of(payload.map(copy_data), st.sampled_from([SYNC, FLUSH, WAIT])), max_size=4
).map(tuple)
copy_ends = st.sampled_from(
    [(COPY_DONE,), (COPY_FAIL,), (COPY_DONE, SYNC), (COPY_FAIL, SYNC), (), (COPY_DONE, COPY_DONE)]
)


class Grammar:
    """Strategies over the given texts. `refused` are texts that the policy of a comparison refuses."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self._every = st.sampled_from((*texts.EVERY, *refused * 4))
        self._plain = st.sampled_from((*texts.PLAIN, *refused * 4))
        listed = st.lists(self._plain, min_size=2, max_size=4).map("; ".join)
        self._simple = st.one_of(self._every, self._plain, listed)

    def conversation(self, size: int = 14) -> st.SearchStrategy[list[Say]]:
        """What one connection says."""
        moves = st.one_of(
            self._queries(), self._messages(), self._drivers(), self._portals(), self._copies()
        )
        return st.lists(moves, min_size=1, max_size=size).map(lambda m: list(chain(*m)))

    def _queries(self) -> st.SearchStrategy[Move]:
        return st.builds(lambda text, wait: (query(text), *wait), self._simple, waits)

    def _parses(self) -> st.SearchStrategy[Say]:
        types = st.sampled_from([(), (), (23,), (25,)])
        return st.builds(parse, statement_names, self._every, types)

    def _binds(self) -> st.SearchStrategy[Say]:
        return st.builds(bind, portal_names, statement_names, arguments, results)

    def _messages(self) -> st.SearchStrategy[Move]:
        """One message of the extended protocol, as it comes."""
        kinds = st.sampled_from("SP")
        names = st.sampled_from(sorted({*STATEMENTS, *PORTALS}))
        one = st.one_of(
            self._parses(),
            self._binds(),
            st.builds(describe, kinds, names),
            st.builds(execute, portal_names, limits),
            st.builds(close, kinds, names),
            st.sampled_from([SYNC, FLUSH, COPY_DONE, COPY_FAIL]),
        )
        return st.builds(lambda say, end: (say, *end), one, ends)

    def _drivers(self) -> st.SearchStrategy[Move]:
        """Parse, Bind, Describe, Execute as drivers send them, in part or in one go."""

        def said(
            name: str, text: str, given: Arguments, shown: int, order: str, limit: int, end: Move,
        ) -> Move:  # fmt: skip
            portal = ""
            parts = {
                "P": parse(name, text),
                "S": describe("S", name),
                "B": bind(portal, name, given, shown),
                "D": describe("P", portal),
                "E": execute(portal, limit),
                "C": close("P", portal),
                "Z": SYNC,
            }
            return (*(parts[letter] for letter in order), *end)

        orders = st.sampled_from(
            ["PBDE", "PBE", "PSZBDE", "BDE", "BE", "PSBE", "BEE", "PBEC", "PZBEZBE", "PBEBE"]
        )
        given = st.tuples(st.just(()), st.just(0)) | arguments
        return st.builds(said, statement_names, self._every, given, results, orders, limits, ends)

    def _portals(self) -> st.SearchStrategy[Move]:
        """A transaction with a portal that is executed more than once."""

        def said(portal: str, text: str, runs: list[Say], end: Move) -> Move:
            opening = (parse("", text), bind(portal, "", ((), 0), 0), execute(portal, 1))
            return (query("begin"), *opening, *runs, *end)

        more = st.one_of(
            st.builds(execute, portal_names, limits),
            st.builds(describe, st.just("P"), portal_names),
            st.sampled_from([SYNC, WAIT, query("fetch 1 from p"), query("move 1 in q")]),
        )
        rows = st.sampled_from((*texts.READS, "insert into w values (1, 'r') returning *"))
        return st.builds(said, portal_names, rows, st.lists(more, max_size=4), ends)

    def _copies(self) -> st.SearchStrategy[Move]:
        """COPY FROM STDIN of either protocol, with what may stand in its data, and its ends."""

        def said(text: str, simple: bool, first: Move, parts: Move, end: Move, last: Move) -> Move:
            if simple:
                start: Move = (query(text),)
            else:
                start = (parse("", text), bind("", "", ((), 0), 0), execute("", 0))
            return (*start, *first, *parts, *end, *last)

        several = st.sampled_from(["copy w from stdin; select 2", "select 1; copy w from stdin"])
        made = st.builds(
            said, st.sampled_from(texts.COPY_IN) | several, st.booleans(), ends, copy_parts,
            copy_ends, ends,
        )  # fmt: skip
        table = (query("create temp table if not exists w (id int, name text)"), WAIT)
        return st.one_of(made, made.map(lambda move: (*table, *move)))
