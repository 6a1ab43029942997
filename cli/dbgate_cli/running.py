"""One use of a session: open it, listen, do what it is for, and always close it again."""

from __future__ import annotations

import contextlib
import queue
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbgate_cli import console, signals
from dbgate_cli.access import Wish, open_session
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.endpoint import Endpoint
from dbgate_cli.proxy import Target
from dbgate_cli.settings import Settings
from dbgate_cli.tunnel import Tunnel
from dbgate_cli.watching import Watch
from dbgate_core import contract
from dbgate_core.errors import DbgateError, NotFound
from dbgate_core.secret import Secret

Use = Callable[["Live"], int]


@dataclass(frozen=True, slots=True)
class Live:
    """A session with its listener, while it is used.

    `events` brings what happens meanwhile: signals, and why the session ended without us.
    """

    opened: contract.OpenedSession
    endpoint: Endpoint
    events: queue.SimpleQueue[signal.Signals | DbgateError]


@contextlib.contextmanager
def session(settings: Settings, wish: Wish) -> Iterator[tuple[Broker, contract.OpenedSession]]:
    """Open a session; close it at every end but SIGKILL (then the broker misses us)."""
    broker, hold = Broker(settings, Identity(settings).token), signals.Hold()
    with contextlib.closing(broker), signals.raised():
        opened = open_session(
            broker, wish, lambda what: hold.around(lambda: broker.open_session(what))
        )
        reason = "interrupted"
        try:
            hold.release()
            yield broker, opened
            reason = "finished"
        finally:
            with signals.held():
                close(broker, opened.session.id, reason)


def use_session(settings: Settings, wish: Wish, use: Use, *, port: int = 0) -> int:
    """Open a session, run `use` with its listener, close the session; give `use`'s exit code."""
    with session(settings, wish) as (broker, opened):
        return _live(settings, broker, opened, use, port)


def close(broker: Broker, session_id: str, reason: str) -> None:
    """Close a session; say it when that fails, and do not hide what happened before."""
    try:
        broker.close_session(session_id, reason)
    except NotFound:
        return
    except DbgateError as exc:
        console.note(f"session {session_id} could not be closed: {exc.message}")
        console.note("the broker closes it when it is idle")


def target_of(opened: contract.OpenedSession) -> Target:
    """Where an opened session's tunnel leads."""
    return Target(
        host=opened.gateway_host,
        port=opened.gateway_port,
        database=opened.session.database,
        session_id=opened.session.id,
        token=Secret(opened.tunnel_token),
    )


def _live(
    settings: Settings, broker: Broker, opened: contract.OpenedSession, use: Use, port: int
) -> int:
    events: queue.SimpleQueue[signal.Signals | DbgateError] = queue.SimpleQueue()
    watch = Watch(settings, opened.session, events.put)
    tunnel = Tunnel(target_of(opened), broker.tls, watch.suspect)
    try:
        bound = tunnel.listen(port)
        watch.start(tunnel)
        endpoint = Endpoint(bound, opened.username, Secret(opened.password), opened.dbname)
        return use(Live(opened, endpoint, events))
    finally:
        watch.stop()
        tunnel.close()
