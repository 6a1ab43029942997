"""`python -m tests.bench.steps`: CPU microseconds a statement between the sockets, no sockets used.

The wire session, a guard and a real audit log on the disk, fed with what pgbench and PostgreSQL say
of one select; then the guard's two entries alone, and what the search index costs for an entry.
Steadier than a whole run, so it shows what a change of the hot path is worth. `--profile` prints
where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dbgate_broker.audit.files import Folder
from dbgate_broker.audit.index import Index
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.who import who
from dbgate_core.guard import ConnectionGuard
from dbgate_core.masking.key import MaskKey
from dbgate_core.pgwire.guard import Hold, Outcome, Refusal, Status
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.session import Session
from dbgate_core.scope import Picture, Scope
from dbgate_core.verdicts import Subject, Verdicts
from tests.unit.guard.doubles import ALICE, PROD, SHOP, Approvals, TablePolicy

TEXT = "SELECT id FROM plain WHERE id = $1;"
LITERAL = "SELECT id FROM plain WHERE id = {};"
DESCRIPTION = message(b"T", b"\0\1id\0" + struct.pack("!IhIhih", 20_001, 1, 20, 8, -1, 0))
ROW = message(b"D", b"\0\1\0\0\0\3123")
DONE = message(b"C", b"SELECT 1\0")
READY = message(b"Z", b"I")
SYNC = message(b"S", b"")


def a_guard(recorder: Recorder) -> ConnectionGuard:
    """The guard of a connection of alice's on a small catalog."""
    entry = {
        "session": "s-0123456789abcdef",
        "who": who(ALICE),
        "database": "prod-db",
        "environment": "production",
        "access_role": "readonly",
        "db_user": "v-dbgate-prod-db-readonly-0123456789abcdef-1700000000",
        "connection": 1,
        "policy": "sha256:0123456789abcdef",
    }
    scope = Scope(Subject(ALICE, PROD, "readonly"), entry, MaskKey(b"k" * 32), Approvals())
    verdicts = Verdicts(TablePolicy())
    return ConnectionGuard(scope, Picture(SHOP), verdicts, recorder, time.monotonic_ns)


def _bound(number: int) -> bytes:
    value = str(number).encode()
    parameters = struct.pack("!HHi", 0, 1, len(value)) + value
    bind = message(b"B", b"\0P0\0" + parameters + struct.pack("!HH", 1, 0))
    return bind + message(b"D", b"P\0") + message(b"E", b"\0" + b"\0\0\0\0") + SYNC


def _exchange(session: Session, asked: bytes, answer: bytes) -> None:
    session.receive_client(asked)
    session.take_for_server()
    session.receive_server(answer)
    session.take_for_client()


def prepared(guard: ConnectionGuard) -> Callable[[int], None]:
    """Bind, Describe, Execute and Sync of a statement prepared once."""
    session = Session(guard)
    parse = message(b"P", b"P0\0" + TEXT.encode() + b"\0\0\0")
    _exchange(session, parse + SYNC, message(b"1", b"") + READY)
    answer = message(b"2", b"") + DESCRIPTION + ROW + DONE + READY
    return lambda number: _exchange(session, _bound(number), answer)


def simple(guard: ConnectionGuard) -> Callable[[int], None]:
    """A Query whose literal is another each time."""
    session = Session(guard)
    answer = DESCRIPTION + ROW + DONE + READY

    def step(number: int) -> None:
        _exchange(session, message(b"Q", LITERAL.format(number).encode() + b"\0"), answer)

    return step


def recorded(guard: ConnectionGuard) -> Callable[[int], None]:
    """The begin and end entries of a statement judged once."""
    permit = guard.judge(TEXT)
    assert not isinstance(permit, Refusal | Hold)

    def step(number: int) -> None:
        guard.end(guard.begin(permit, None, "extended"), Outcome(Status.OK, "SELECT 1", 1))

    return step


def indexed(place: Path) -> float:
    """CPU microseconds for an entry of a closed log, to index all of it."""
    folder = Folder(place)
    index = Index(folder, place.with_name("again.sqlite"), "again")
    begun = time.thread_time()
    entries = int(index.use(lambda db: db.execute("select sum(entries) from blocks").fetchone()[0]))
    spent = time.thread_time() - begun
    index.close()
    folder.close()
    return spent / entries * 1e6


def microseconds(step: Callable[[int], None], count: int) -> float:
    """CPU time of this thread for one step; the log's own threads are not in it."""
    for number in range(200):
        step(number)
    begun = time.thread_time()
    for number in range(200, 200 + count):
        step(number)
    return (time.thread_time() - begun) / count * 1e6


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.steps", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = AuditConfig(directory=Path(folder) / "log", signing_key=Path(folder) / "key")
        with AuditLog.open(config) as log:
            for kind in (prepared, simple, recorded):
                step = kind(a_guard(log))
                with cProfile.Profile() if options.profile else tempfile.TemporaryFile() as profile:
                    best = min(microseconds(step, options.count) for _ in range(3))
                print(f"{kind.__name__:10} {best:7.1f} us")
                if isinstance(profile, cProfile.Profile):
                    pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        print(f"{'indexed':10} {indexed(config.directory):7.1f} us for an entry")
    return 0


if __name__ == "__main__":
    sys.exit(main())
