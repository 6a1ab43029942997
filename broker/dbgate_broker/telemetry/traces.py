"""Traces by OpenTelemetry: a span a session, a connection in it, a statement in that.

Off unless `telemetry.otlp_endpoint` is set. The spans are made of the entries of the audit log as they
are written, so they say what is recorded, and less: never a statement's text, its parameters, or what
an error says. They wait in a bounded queue for a thread of the exporter's; when the collector is slow
or gone, spans are dropped and statements go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

import msgspec
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.sessions.records import SESSION_CLOSED, SESSION_OPENED
from dbgate_core.audit.recorder import Recorder

QUEUE: Final = 4_096
"""Spans that wait, some 4 MB; those beyond are dropped."""
BATCH: Final = 512
DELAY_MS: Final = 1_000
EXPORT_S: Final = 5.0
CLOSE_S: Final = 2.0
"""For the last spans when the broker stops."""
PATH: Final = "/v1/traces"
COPIED: Final = {
    "protocol": "dbgate.protocol",
    "tag": "dbgate.tag",
    "status": "dbgate.status",
    "rows": "db.response.returned_rows",
    "sqlstate": "db.response.status_code",
}
"""Fields of a statement's entries that its span repeats."""

Value = str | int | float | bool


class Traces:
    """Makes the spans of one broker. `endpoint` is the collector's OTLP/HTTP address, without a path."""

    def __init__(self, endpoint: str, version: str) -> None:
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH, timeout=EXPORT_S)
        resource = Resource.create({"service.name": "dbgate", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=QUEUE,
                schedule_delay_millis=DELAY_MS,
                max_export_batch_size=BATCH,
                export_timeout_millis=EXPORT_S * 1000,
            )
        )
        self.tracer = self._provider.get_tracer("dbgate")
        self._sessions: dict[str, Span] = {}

    def of_sessions(self, recorder: Recorder) -> Recorder:
        """A recorder that traces sessions by the entries which pass it."""
        return _Sessions(recorder, self)

    def of_connection(
        self, recorder: Recorder, session: GuardedSession, connection: int
    ) -> Recorder:
        """A recorder that traces one connection's statements, within its session's span."""
        parent = self._sessions.get(session.id)
        within = set_span_in_context(parent) if parent is not None else Context()
        about: dict[str, Value] = {
            "db.system.name": "postgresql",
            "db.namespace": session.database.dbname,
            "dbgate.database": session.database.name,
            "dbgate.access_role": session.access_role,
            "dbgate.session": session.id,
            "dbgate.connection": connection,
            "enduser.id": session.principal.subject,
        }
        span = self.tracer.start_span(
            "connection",
            within,
            SpanKind.SERVER,
            {**about, "dbgate.principal": session.principal.kind.value},
        )
        return _Connection(recorder, self, span, about)

    def session_opened(self, scope: Mapping[str, object]) -> None:
        """A session begins."""
        said = {
            f"dbgate.{name}": str(scope[name]) for name in ("session", "database", "access_role")
        }
        span = self.tracer.start_span("session", Context(), SpanKind.SERVER, said)
        self._sessions[str(scope["session"])] = span

    def session_closed(self, session: str) -> None:
        """It ends."""
        if (span := self._sessions.pop(session, None)) is not None:
            span.end()

    def close(self) -> None:
        """Send what waits, for a bounded time: a collector that hangs does not hold the broker up."""
        last = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        last.start()
        last.join(CLOSE_S)


class _Sessions:
    """Writes first, then traces: what is not recorded did not happen."""

    def __init__(self, recorder: Recorder, traces: Traces) -> None:
        self._recorder = recorder
        self._traces = traces

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """As the other one's."""
        index = self._recorder.append(kind, fields)
        if kind == SESSION_OPENED:
            self._traces.session_opened(fields)
        elif kind == SESSION_CLOSED:
            self._traces.session_closed(str(fields["session"]))
        return index


class _Connection:
    """The same for one connection's entries."""

    def __init__(
        self, recorder: Recorder, traces: Traces, span: Span, about: dict[str, Value]
    ) -> None:
        self._recorder = recorder
        self._traces = traces
        self._span = span
        self._within = set_span_in_context(span)
        self._about = about
        self._begun: dict[int, tuple[int, dict[str, Value]]] = {}

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """As the other one's."""
        index = self._recorder.append(kind, fields)
        if kind == "statement":
            self._begun[index] = (time.time_ns(), {"dbgate.verdict": "allow", **_said(fields)})
        elif kind == "statement_end":
            started, said = self._begun.pop(int(str(fields["begin"])), (time.time_ns(), {}))
            self._statement(started, said | _said(fields))
        elif kind == "statement_refused":
            verdict: dict[str, Value] = {"dbgate.verdict": str(fields["verdict"])}
            self._statement(time.time_ns(), verdict | _said(fields))
        elif kind == "connection_closed":
            self._span.end()
        return index

    def _statement(self, started_ns: int, said: dict[str, Value]) -> None:
        span = self._traces.tracer.start_span(
            "statement", self._within, SpanKind.CLIENT, self._about | said, start_time=started_ns
        )
        if "db.response.status_code" in said:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _said(fields: Mapping[str, object]) -> dict[str, Value]:
    said: dict[str, Value] = {}
    for name, attribute in COPIED.items():
        value = fields.get(name)
        if isinstance(value, str | int):
            said[attribute] = str(value) if isinstance(value, str) else value
    policies = fields.get("policies")
    if isinstance(policies, msgspec.Raw):  # encoded once, for many entries
        policies = msgspec.json.decode(policies)
    if isinstance(policies, list):
        said["dbgate.rules"] = ", ".join(map(str, policies))
    return said
