"""What the rest of the broker sees of traces, without the libraries that they need."""

from __future__ import annotations

from importlib.metadata import version
from typing import Protocol

from dbgate_broker.sessions.guards import GuardedSession
from dbgate_core.audit.recorder import Recorder
from dbgate_core.errors import UsageError


class Traces(Protocol):
    """`telemetry.traces.Traces`: recorders that trace what they write."""

    def of_sessions(self, recorder: Recorder) -> Recorder:
        """One that traces sessions."""

    def of_connection(
        self, recorder: Recorder, session: GuardedSession, connection: int
    ) -> Recorder:
        """One that traces a connection and its statements."""

    def close(self) -> None:
        """Send what waits."""


def tracing(endpoint: str) -> Traces | None:
    """Traces, when an endpoint is configured. Raises UsageError without the extra `telemetry`."""
    if not endpoint:
        return None
    if not endpoint.startswith(("http://", "https://")):
        raise UsageError("telemetry.otlp_endpoint is no URL", hint="such as http://localhost:4318")
    try:
        from dbgate_broker.telemetry import traces
    except ImportError as exc:
        raise UsageError(
            f"traces are configured and not installed ({exc.name})",
            hint="pip install 'dbgate[telemetry]'",
        ) from exc
    return traces.Traces(endpoint, version("dbgate"))
