"""Noticing that a session has ended without us: its deadline, a kill, an idle limit."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from dbgate_cli import signals
from dbgate_cli.access import local_time
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.settings import Settings
from dbgate_cli.tunnel import Tunnel
from dbgate_core import contract
from dbgate_core.errors import ApprovalNeeded, DbgateError, Denied

WATCH_S: Final = 10.0
"""How often the broker is asked whether the session still is; sooner when a connection breaks.
The broker takes it for a sign of life: without one, and without a connection, it soon closes the
session (`abandoned_s` in docs/configuration.md)."""
LOOK_TIMEOUT_S: Final = 3.0
BURST_S: Final = 0.5
"""A burst of broken connections asks the broker no oftener than this."""


class Watch:
    """A thread that looks after one session. `over` is called in it, once, when the session is over."""

    def __init__(
        self,
        settings: Settings,
        session: contract.SessionInfo,
        over: Callable[[DbgateError], None],
    ) -> None:
        self._settings = settings
        self._session = session
        self._over = over
        self._suspicion = threading.Event()
        self._stopped = threading.Event()

    def start(self, tunnel: Tunnel) -> None:
        """Begin; the session's tunnel is asked when the broker does not answer."""
        threading.Thread(target=self._run, args=(tunnel,), name="watch", daemon=True).start()

    def suspect(self) -> None:
        """Look now: a connection was refused or broke."""
        self._suspicion.set()

    def stop(self) -> None:
        """Look no more, soon; a question that is on its way is not waited for."""
        self._stopped.set()
        self._suspicion.set()

    def _run(self, tunnel: Tunnel) -> None:
        signals.block_in_thread()
        while not self._stopped.wait(BURST_S):
            left = (self._session.expires_at - datetime.now(UTC)).total_seconds()
            self._suspicion.wait(max(0.1, min(WATCH_S, left)))
            self._suspicion.clear()
            error = None if self._stopped.is_set() else self._found(tunnel)
            if error is not None:
                self._over(error)
                return

    def _found(self, tunnel: Tunnel) -> DbgateError | None:
        """Ask; give why the session is over.

        An ID token may end before its session does, as those of jobs do: then the tunnel's own
        token is the sign that we live.
        """
        found = _look(self._settings, self._session)
        if found is None:
            with contextlib.suppress(DbgateError):
                tunnel.knock()
        return ended(found or self._session, datetime.now(UTC))


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
