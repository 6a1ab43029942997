"""One conversation both ways, and what is different in the answers."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dbgate_core.pgwire.messages import decode_fields, message
from dbgate_core.secret import Secret
from tests.differential.grammar import COPY_FAIL, SYNC, WAIT, Say, query
from tests.differential.peer import Peer
from tests.differential.place import DIRECT, GOVERNED, Place
from tests.integration.gateway.raw import Message
from tests.integration.gateway.world import USER_PASSWORD, World

FIRST_OWN_OID = 16_384
"""OIDs from here on are those of what users made (FirstNormalObjectId)."""
SYNTAX_ERROR = b"dbgate refused this statement"
"""What stands for a refused text on the direct way: the server answers it with a syntax error."""
EPILOGUE = (WAIT, COPY_FAIL, SYNC, WAIT, query("rollback"), WAIT, query("select 'in step'"), WAIT)
"""Whatever came before, after these both must stand where a new statement may begin."""


@dataclass
class Comparison:
    """Runs conversations both ways; counts what it saw."""

    place: Place
    world: World
    refuses: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    conversations: int = 0

    @property
    def policy(self) -> str:
        return "refusing" if self.refuses else "permissive"

    def difference(self, said: Sequence[Say], cuts: Sequence[int]) -> str:
        """Say it both ways; "" when the answers are equal, else where they part and what was said."""
        password = Secret(USER_PASSWORD)
        tunnel = self.world.tunnel
        direct = Peer(self.place.server.port, "ephemeral", password, DIRECT)
        try:
            governed = Peer(self.world.local, tunnel.username, tunnel.password, GOVERNED)
            try:
                self._converse(direct, governed, [*said, *EPILOGUE], cuts)
            finally:
                governed.close()
        finally:
            direct.close()
            if any(b"play" in say.data for say in said):
                self._clean()
        self.conversations += 1
        self.seen.update(kind for kind, _ in direct.seen)
        return self._compared(direct, governed, said, cuts)

    def _converse(
        self, direct: Peer, governed: Peer, said: Sequence[Say], cuts: Sequence[int]
    ) -> None:
        """The direct way is told all up to a wait in one piece; the other in pieces, and slower."""
        waiting: list[Say] = []
        for say in said:
            if say is not WAIT:
                waiting.append(say)
                continue
            direct.send(b"".join(self._as_direct(s) for s in waiting))
            direct.settle()
            for piece in _cut(b"".join(s.data for s in waiting), cuts):
                governed.send(piece)
            governed.wait(len(direct.seen) + direct.ended)
            waiting.clear()

    def _as_direct(self, say: Say) -> bytes:
        """What the server must get for the same outcome: refused texts are syntax errors to it."""
        if not (self.refuses and b"forbidden" in say.data):
            return say.data
        if say.data[:1] == b"Q":
            return message(b"Q", SYNTAX_ERROR + b"\0")
        name, _, types = say.data[5:].split(b"\0", 2)
        return message(b"P", name + b"\0" + SYNTAX_ERROR + b"\0" + types)

    def _clean(self) -> None:
        for name in (DIRECT, GOVERNED):
            self.place.run(name, "drop table if exists play.kept cascade")

    def _compared(
        self, direct: Peer, governed: Peer, said: Sequence[Say], cuts: Sequence[int]
    ) -> str:
        kinds = "".join(kind for kind, _ in direct.seen)
        expected, found = Shown(direct.pid), Shown(governed.pid)
        for n in range(max(len(direct.seen), len(governed.seen))):
            left = expected.of(direct.seen[n]) if n < len(direct.seen) else "nothing"
            right = found.of(governed.seen[n]) if n < len(governed.seen) else "nothing"
            if left == right:
                continue
            known = _known(left, right, kinds[:n]) or _moved_by_sql(right, said)
            if not known:
                before = "".join(f"\n    {expected.of(m)}" for m in direct.seen[max(0, n - 6) : n])
                return (
                    f"message {n}:\n  direct  {left}\n  dbgate  {right}\n  after{before}"
                    f"\n  closed: direct {direct.ended}, dbgate {governed.ended}"
                    f"\n  said {list(said)}\n  cuts {list(cuts)}"
                )
            self.seen[known] += 1
            if known in (GIVEN_UP, SQL_NAME):
                return ""
        if direct.ended != governed.ended:
            return f"closed: direct {direct.ended}, dbgate {governed.ended}\n  said {list(said)}"
        return ""


def _cut(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The data in pieces of these lengths, over and over; in one when there are none."""
    if not cuts:
        return [data] if data else []
    pieces, position, n = [], 0, 0
    while position < len(data):
        size = cuts[n % len(cuts)]
        pieces.append(data[position : position + size])
        position, n = position + size, n + 1
    return pieces


Fields = dict[str, str]
Form = tuple[str, object]


class Shown:
    """Messages of one way in a form that both ways share.

    Left out: the process id of a notification's sender when that is the connection itself, and OIDs of
    what the conversation made, which are numbered in the order of their coming.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._oids: dict[int, int] = {}

    def of(self, it: Message) -> Form:
        """The form of one message; called once for each, in order."""
        kind, body = it
        if kind in "EN":
            return kind, decode_fields(body)
        if kind == "A":
            own = int.from_bytes(body[:4], "big") == self._pid
            return kind, ("own" if own else body[:4], body[4:])
        if kind == "T":
            return kind, self._columns(body)
        if kind == "t":
            oids = struct.unpack_from(f"!{(len(body) - 2) // 4}I", body, 2)
            return kind, [self._oid(oid) for oid in oids]
        return kind, body

    def _columns(self, body: bytes) -> list[object]:
        columns: list[object] = []
        position = 2
        while position < len(body):
            end = body.index(b"\0", position)
            oid, attnum, type_oid, *rest = struct.unpack_from("!IhIhih", body, end + 1)
            columns.append((body[position:end], self._oid(oid), attnum, self._oid(type_oid), *rest))
            position = end + 19
        return columns

    def _oid(self, oid: int) -> int:
        if oid < FIRST_OWN_OID:
            return oid
        return self._oids.setdefault(oid, FIRST_OWN_OID + len(self._oids))


UNKNOWN_NAME = "an unknown name: dbgate says so itself, and before 25P02"
NOT_PARSED = "a syntax error: dbgate says so itself"
SQL_NAME = "names of SQL and of the protocol: what one made, the other may not run (docs/adr/0005)"
MOVING = re.compile(rb"prepare|deallocate|declare|close|discard all|opens")
OWN_DESCRIBE = "an error that came to dbgate's own Describe: another place in the server's source"
GIVEN_UP = (
    "dbgate ends a connection that says something else behind a COPY FROM STDIN in one breath"
)
REFUSED = "refused, and a syntax error on the direct way"


def _moved_by_sql(right: Form | str, said: Sequence[Say]) -> str:
    """Whether dbgate refuses a name that SQL of this conversation made, or failed to drop, or to SQL."""
    if isinstance(right, str) or right[0] != "E" or not isinstance(right[1], dict):
        return ""
    if right[1].get("C") == "0A000" and "was named by Parse or Bind" in str(right[1].get("M")):
        return SQL_NAME
    forgotten = right[1].get("C") in ("26000", "34000") and "R" not in right[1]
    return SQL_NAME if forgotten and any(MOVING.search(say.data) for say in said) else ""


def _known(left: Form | str, right: Form | str, before: str) -> str:
    """The name of a known difference, or ""; `before` are the types of the messages before it."""
    if isinstance(right, str) or right[0] != "E" or not isinstance(right[1], dict):
        return ""
    ours: Fields = right[1]
    if (ours.get("V"), ours.get("C")) == ("FATAL", "08P01") and "G" in before:
        return GIVEN_UP
    if isinstance(left, str) or left[0] != "E" or not isinstance(left[1], dict):
        return ""
    theirs: Fields = left[1]
    same = all(ours.get(key) == theirs.get(key) for key in "SVCMP")
    own = "R" not in ours
    if own and ours["C"] in ("26000", "34000") and (same or theirs.get("C") == "25P02"):
        return UNKNOWN_NAME
    if same and ours.get("R") == "exec_describe_portal_message":
        return OWN_DESCRIBE
    if own and same and ours["C"] == "42601":
        return NOT_PARSED
    if "dbgate" in theirs.get("M", "") and ours.get("M") == "not this table":
        return REFUSED
    return ""
