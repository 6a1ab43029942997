"""Spans reach a real OTLP/HTTP receiver; a collector that hangs or is gone holds nothing up."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `telemetry` is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.telemetry.traces import QUEUE, Traces
from dbgate_core.audit.canonical import fragment
from tests.unit.guard.doubles import ALICE, Approvals, MemoryLog

MARKER = "marker-of-a-statement-8c2f"
DATABASE = DatabaseConfig(
    name="prod-db",
    host="127.0.0.1",
    dbname="shop",
    environment="production",
    ca_file=Path("none"),
    access_roles=[],
)


class Collector:
    """An OTLP/HTTP receiver that keeps the spans it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                assert self.path == "/v1/traces"
                collector.bodies.append(gzip.decompress(body) if zipped else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing on stderr."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def spans(self) -> list[Span]:
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    found += list(scope.spans)
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join()
        collector.server.server_close()


def attributes(span: Span) -> dict[str, str | int]:
    return {
        one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
        for one in span.attributes
    }


def story(traces: Traces, log: MemoryLog) -> None:
    """A session with one connection, a statement that runs and one that is refused."""
    sessions = traces.of_sessions(log)
    scope: Mapping[str, object] = {
        "session": "s-1",
        "database": "prod-db",
        "access_role": "readonly",
    }
    sessions.append("session_opened", scope)
    guarded = GuardedSession("s-1", ALICE, DATABASE, "readonly", Approvals())
    recorder = traces.of_connection(log, guarded, 1)
    said = {"text": MARKER, "protocol": "simple", "policies": fragment(["reads"]), "parameters": 2}
    begun = recorder.append("statement", said)
    end = {"begin": begun, "status": "ok", "tag": "SELECT 3", "rows": 3, "duration_us": 5}
    recorder.append("statement_end", end)
    refused = {"verdict": "deny", "text": MARKER, "policies": ["no-drop"], "sqlstate": "42501",
               "message": MARKER}  # fmt: skip
    recorder.append("statement_refused", refused)
    recorder.append("connection_closed", {"statements": 1})
    sessions.append("session_closed", scope)


def test_a_session_is_a_tree_of_spans() -> None:
    with collecting() as collector:
        traces, log = Traces(collector.url, "0"), MemoryLog()
        story(traces, log)
        traces.close()
    spans = collector.spans()
    assert sorted(span.name for span in spans) == [
        "connection",
        "session",
        "statement",
        "statement",
    ]
    named = {span.name: span for span in spans}
    assert len({span.trace_id for span in spans}) == 1
    assert named["session"].parent_span_id == b""
    assert named["connection"].parent_span_id == named["session"].span_id
    assert named["statement"].parent_span_id == named["connection"].span_id
    ran, refused = (span for span in spans if span.name == "statement")
    assert attributes(ran).items() >= {
        ("dbgate.verdict", "allow"), ("dbgate.rules", "reads"), ("dbgate.database", "prod-db"),
        ("db.response.returned_rows", 3), ("dbgate.session", "s-1"), ("enduser.id", "1"),
    }  # fmt: skip
    assert attributes(refused).items() >= {
        ("dbgate.verdict", "deny"), ("dbgate.rules", "no-drop"),
        ("db.response.status_code", "42501"),
    }  # fmt: skip
    assert refused.status.code == refused.status.STATUS_CODE_ERROR
    assert ran.start_time_unix_nano <= ran.end_time_unix_nano
    assert log.kinds().count("statement") == 1


def test_no_text_leaves() -> None:
    with collecting() as collector:
        traces = Traces(collector.url, "0")
        story(traces, MemoryLog())
        traces.close()
    assert collector.spans()
    assert not any(MARKER.encode() in body for body in collector.bodies)


def test_what_cannot_be_recorded_is_not_traced_either() -> None:
    with collecting() as collector:
        traces, log = Traces(collector.url, "0"), MemoryLog(full=True)
        with pytest.raises(Exception, match="cannot be written"):
            story(traces, log)
        traces.close()
    assert collector.spans() == []


def test_a_collector_that_hangs_drops_spans_and_holds_nothing_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        traces = Traces(f"http://127.0.0.1:{silent.getsockname()[1]}", "0")
        log = MemoryLog()
        for _ in range(QUEUE):
            story(traces, log)
        traces.close()
        assert log.kinds().count("statement_end") == QUEUE
