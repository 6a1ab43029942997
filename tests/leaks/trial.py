"""One case, one way, on both sides: what came, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from dbgate_core.pgwire.messages import decode_fields
from dbgate_core.secret import Secret
from tests.differential.comparison import Shown
from tests.differential.peer import Peer
from tests.differential.place import DIRECT, GOVERNED, Place
from tests.integration.gateway.raw import Message
from tests.integration.gateway.world import USER_PASSWORD, World
from tests.leaks.corpus import Case
from tests.leaks.traces import Traces
from tests.leaks.ways import Way, converse, simple, values


@dataclass
class Side:
    """One way to the data. Its connection is used again, until a case might have changed it."""

    port: int
    user: str
    password: Secret
    database: str
    _open: Peer | None = field(default=None, init=False)

    def run(self, case: Case, way: Way) -> list[Message]:
        """All that comes to the client; nothing is left behind."""
        peer = self._open or Peer(self.port, self.user, self.password, self.database)
        self._open = None
        kept = not (case.alone or case.undo)
        try:
            if kept:
                converse(peer, ["begin"], simple)
            seen = converse(peer, case.steps, way)
            if kept and not peer.ended:
                seen += converse(peer, ["rollback"], simple)
            if case.alone and not peer.ended:
                self._open = peer
            return seen
        finally:
            if self._open is None:
                peer.close()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()


class Trial:
    """Runs cases straight and through dbgate."""

    def __init__(self, place: Place, world: World, traces: Traces) -> None:
        self._place, self._traces = place, traces
        password = Secret(USER_PASSWORD)
        self.direct = Side(place.server.port, "ephemeral", password, DIRECT)
        tunnel = world.tunnel
        self.governed = Side(world.local, tunnel.username, tunnel.password, GOVERNED)

    def leaks(self, case: Case, way: Way) -> str:
        """What came through dbgate; "" for nothing."""
        governed = self.governed.run(case, way)
        self._undo(case, GOVERNED)
        if not case.quiet:
            return self._found(governed)
        shown = values(governed)
        same = shown and shown == values(self._direct(case, way))
        return "the values are the direct ones" if same else ""

    def shows(self, case: Case, way: Way) -> bool:
        """Whether anything comes without dbgate: else the attempt proves nothing."""
        direct = self._direct(case, way)
        return bool(values(direct) if case.quiet else self._found(direct))

    def _direct(self, case: Case, way: Way) -> list[Message]:
        seen = self.direct.run(case, way)
        self._undo(case, DIRECT)
        return seen

    def _undo(self, case: Case, name: str) -> None:
        for statement in filter(None, case.undo.split(";")):
            self._place.run(name, statement)

    def _found(self, messages: list[Message]) -> str:
        return self._traces.found(b"\n".join(body for _, body in messages), values(messages))

    def difference(self, case: Case, way: Way) -> str:
        """Where the answers to a harmless case part; "" when they do not."""
        direct, governed = self._direct(case, way), self.governed.run(case, way)
        expected, found = Shown(0), Shown(0)
        left, right = [expected.of(m) for m in direct], [found.of(m) for m in governed]
        for n in range(max(len(left), len(right))):
            a, b = left[n : n + 1], right[n : n + 1]
            if a != b and not _own_words(direct[n : n + 1], governed[n : n + 1]):
                return f"message {n}: direct {a}, dbgate {b}"
        return ""

    def close(self) -> None:
        self.direct.close()
        self.governed.close()


def _own_words(direct: list[Message], governed: list[Message]) -> bool:
    """What dbgate tells itself, syntax errors and unknown names: without the server's file and line."""
    if not direct or not governed or (direct[0][0], governed[0][0]) != ("E", "E"):
        return False
    theirs, ours = decode_fields(direct[0][1]), decode_fields(governed[0][1])
    same = all(theirs.get(key) == ours.get(key) for key in "SVCMP")
    return theirs["C"] in ("42601", "26000") and same
