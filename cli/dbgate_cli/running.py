"""One use of a session: open it, listen, run a child or stay, and always close it again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from dbgate_cli import console, signals
from dbgate_cli.access import Wish, local_time, open_session
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.proxy import Target
from dbgate_cli.settings import Settings
from dbgate_cli.signals import ENDING
from dbgate_cli.tunnel import HOST, Tunnel
from dbgate_core import contract
from dbgate_core.errors import ApprovalNeeded, DbgateError, Denied, NotFound
from dbgate_core.secret import Secret

WATCH_S: Final = 10.0
"""How often the broker is asked whether the session still is; sooner when a connection breaks.
The broker takes it for a sign of life: without one, and without a connection, it soon closes the
session (`abandoned_s` in docs/configuration.md)."""
LOOK_TIMEOUT_S: Final = 3.0
GRACE_S: Final = 10.0
"""How long a child may take to end after a SIGTERM or SIGHUP that was passed to it."""
KEYBOARD: Final = (signal.SIGINT, signal.SIGQUIT)
_DROPPED: Final = frozenset(
    {
        "PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSFILE", "PGCHANNELBINDING",
        "PGREQUIREAUTH", "PGREQUIRESSL", "PGTARGETSESSIONATTRS", "PGSSLNEGOTIATION",
        "DBGATE_ID_TOKEN",
    }
)  # fmt: skip
"""What would lead libpq elsewhere, or hand a token to a program that does not need it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a client needs: the listener's port and the session's one-time credentials."""

    port: int
    username: str
    password: Secret
    dbname: str

    def url(self) -> str:
        """The connection URL, password included: for a child's environment or the ready event."""
        user, password = quote(self.username, safe=""), quote(self.password.expose(), safe="")
        name = quote(self.dbname, safe="")
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{name}?sslmode=disable"

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """A child's environment. The loopback leg is plain; TLS begins behind the listener."""
        kept = {key: value for key, value in base.items() if key not in _DROPPED}
        return kept | {
            "DATABASE_URL": self.url(),
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": self.username,
            "PGPASSWORD": self.password.expose(),
            "PGDATABASE": self.dbname,
            "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable",
        }


Use = Callable[["Live"], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Live:
    """A session with its listener, while it is used.

    `over` is done when the session has ended without us, and says why.
    """

    opened: contract.OpenedSession
    endpoint: Endpoint
    over: asyncio.Future[DbgateError]


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
        return asyncio.run(_live(settings, broker, opened, use, port))


def close(broker: Broker, session_id: str, reason: str) -> None:
    """Close a session; say it when that fails, and do not hide what happened before."""
    try:
        broker.close_session(session_id, reason)
    except NotFound:
        return
    except DbgateError as exc:
        console.note(f"session {session_id} could not be closed: {exc.message}")
        console.note("the broker closes it when it is idle")


async def _live(
    settings: Settings, broker: Broker, opened: contract.OpenedSession, use: Use, port: int
) -> int:
    loop = asyncio.get_running_loop()
    suspicion = asyncio.Event()
    target = Target(
        host=opened.gateway_host,
        port=opened.gateway_port,
        database=opened.session.database,
        session_id=opened.session.id,
        token=Secret(opened.tunnel_token),
    )

    def suspect() -> None:
        loop.call_soon_threadsafe(suspicion.set)

    tunnel = Tunnel(target, broker.tls, suspect)
    bound = tunnel.listen(port)
    endpoint = Endpoint(bound, opened.username, Secret(opened.password), opened.dbname)
    over: asyncio.Future[DbgateError] = loop.create_future()
    watcher = loop.create_task(_watch(settings, opened.session, tunnel, suspicion, over))
    try:
        return await use(Live(opened, endpoint, over))
    finally:
        watcher.cancel()
        tunnel.close()


async def _watch(
    settings: Settings,
    session: contract.SessionInfo,
    tunnel: Tunnel,
    suspicion: asyncio.Event,
    over: asyncio.Future[DbgateError],
) -> None:
    """Notice that the session has ended without us: its deadline, a kill, an idle limit.

    An ID token may end before its session does, as those of jobs do: then the tunnel's own token
    is the sign that we live.
    """
    while True:
        left = (session.expires_at - datetime.now(UTC)).total_seconds()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(suspicion.wait(), max(0.1, min(WATCH_S, left)))
        suspicion.clear()
        found = await asyncio.to_thread(_look, settings, session)
        if found is None:
            with contextlib.suppress(DbgateError):
                await asyncio.to_thread(tunnel.knock)
        error = ended(found or session, datetime.now(UTC))
        if error is not None:
            if not over.done():
                over.set_result(error)
            return
        await asyncio.sleep(0.5)  # a burst of broken connections asks the broker twice a second


def _look(settings: Settings, session: contract.SessionInfo) -> contract.SessionInfo | None:
    """The session as the broker has it; None when it does not say: the deadline still counts."""
    broker = Broker(settings, Identity(settings).token)
    try:
        return broker.session(session.id, timeout_s=LOOK_TIMEOUT_S)
    except DbgateError:
        return None
    finally:
        broker.close()


def ended(session: contract.SessionInfo, now: datetime) -> DbgateError | None:
    """Why a session is over, None while it is open."""
    if session.state != "open" and session.expires_at > now:
        why = session.close_reason or "closed by the broker"
        return Denied(
            f"session {session.id} was ended: {why}",
            hint=f"dbgate connect {session.database}",
            code="session.ended",
        )
    if session.state != "open" or session.expires_at <= now:
        return ApprovalNeeded(
            f"session {session.id} came to the end of its time ({local_time(session.expires_at)})",
            hint=f"dbgate connect {session.database}",
            code="session.expired",
        )
    return None


async def stay(live: Live) -> int:
    """Until a signal ends it, which is a good end, or the session is over, which is not."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    with handled(loop, (*ENDING, signal.SIGINT), lambda _: stop()):
        both: set[asyncio.Future[Any]] = {stopped, live.over}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if live.over.done() and not stopped.done():
        raise live.over.result()
    return 0


async def run_child(live: Live, argv: Sequence[str]) -> int:
    """Run a program with the session in its environment; give its exit code (128+n for signal n).

    A terminal's Ctrl-C reaches the child by itself: psql cancels its statement, and dbgate goes
    on. Signals that were sent to dbgate alone are passed on; SIGTERM and SIGHUP also end a child
    that does not end within GRACE_S.
    """
    loop = asyncio.get_running_loop()
    # Handlers first: a handled signal has its default again in the child, an ignored one stays so.
    pending: list[signal.Signals] = []
    child: asyncio.subprocess.Process | None = None
    ending: asyncio.Event = asyncio.Event()

    def pass_on(number: signal.Signals) -> None:
        if number in ENDING:
            ending.set()
        if number in KEYBOARD and terminal_delivers():
            return
        if child is None:
            pending.append(number)
        elif child.returncode is None:
            child.send_signal(number)

    with handled(loop, (*ENDING, *KEYBOARD), pass_on):
        environment = live.endpoint.environment(os.environ)
        child = await asyncio.create_subprocess_exec(*argv, env=environment)
        for number in pending:
            child.send_signal(number)
        code = await _ended(loop, child, ending)
    if live.over.done():
        console.note(live.over.result().message)
    return 128 - code if code < 0 else code


async def _ended(
    loop: asyncio.AbstractEventLoop, child: asyncio.subprocess.Process, ending: asyncio.Event
) -> int:
    waiting = loop.create_task(child.wait())
    asked = loop.create_task(ending.wait())
    await asyncio.wait({waiting, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not waiting.done():
        await asyncio.wait({waiting}, timeout=GRACE_S)
        if not waiting.done():
            child.kill()
    return await waiting


def terminal_delivers() -> bool:
    """Whether we are in the foreground of a terminal, whose Ctrl-C our child gets by itself."""
    try:
        handle = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(handle)


@contextlib.contextmanager
def handled(
    loop: asyncio.AbstractEventLoop,
    numbers: Sequence[signal.Signals],
    call: Callable[[signal.Signals], None],
) -> Iterator[None]:
    """Handle signals in the event loop for a while."""
    previous = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, call, number)
    try:
        yield
    finally:
        for number, handler in previous.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
