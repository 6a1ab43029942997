"""A broker for the command line's tests: the contract over real TLS, decisions by the test."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from dbgate_core import contract
from dbgate_core.errors import ApprovalNeeded, DbgateError, NotFound, NotSignedIn

ALICE = contract.PrincipalInfo(
    kind="User", name="alice", issuer="https://issuer", subject="1", groups=["developers"]
)
DATABASE = contract.DatabaseInfo(
    name="prod-db",
    engine="postgresql",
    environment="production",
    labels={"team": "shop"},
    access_roles=[
        contract.AccessRoleInfo(name="readonly", access="granted"),
        contract.AccessRoleInfo(name="readwrite", access="approval", approval="dba:1"),
    ],
)


class FakeBroker:
    """Holds the state that tests look at; `token` is the bearer token that `accepts` takes."""

    def __init__(self, leaf: Path) -> None:
        self.token = "good.token.here"
        self.accepts: Callable[[str], bool] = lambda token: token == self.token
        self.issuer = ""
        self.gateway_port = 1
        self.password = "one-time-password-7f3a"
        self.tunnel_token = "tunnel-token-5b2c"
        self.username = "session"
        self.dbname = "postgres"
        self.lifetime_s = 3600.0
        self.sessions: dict[str, contract.SessionInfo] = {}
        self.requests: dict[str, contract.AccessRequestInfo] = {}
        self.entries: list[dict[str, Any]] = []
        self.log: dict[str, bytes] = {}
        self.key = ""
        self.bodies: list[Any] = []
        self.calls: list[str] = []
        self.fail: Callable[[str, str], DbgateError | None] = lambda method, path: None
        self.changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def open_sessions(self) -> list[contract.SessionInfo]:
        """The sessions that are open now."""
        return [s for s in self.sessions.values() if s.state == "open"]

    def end(self, session_id: str, reason: str) -> None:
        """Close a session as somebody else's kill does."""
        self.sessions[session_id] = msgspec.structs.replace(
            self.sessions[session_id], state="closed", close_reason=reason
        )

    def decide(self, request_id: str, state: str) -> None:
        """Decide a request, and wake who waits for it."""
        with self.changed:
            vote = contract.VoteInfo(
                reviewer="bob", vote=state, comment="looked at it", at=datetime.now(UTC)
            )
            self.requests[request_id] = msgspec.structs.replace(
                self.requests[request_id], state=state, votes=[vote]
            )
            self.changed.notify_all()

    def await_request(self, limit_s: float = 10.0) -> str:
        """Wait until there is a pending request; give its id."""
        with self.changed:
            assert self.changed.wait_for(lambda: bool(self.requests), limit_s)
        return next(iter(self.requests))

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> object:
        """One call, as the real API would answer it."""
        parts = path.removeprefix("/v1/").split("/")
        match method, parts:
            case "GET", ["discovery"]:
                return contract.Discovery(
                    version="0.1.0",
                    issuer=self.issuer,
                    client_id="dbgate",
                    gateway_host="127.0.0.1",
                    gateway_port=self.gateway_port,
                    audit_public_key=self.key,
                )
            case "GET", ["whoami"]:
                return ALICE
            case "GET", ["databases"]:
                return [DATABASE]
            case "POST", ["sessions"]:
                return self._open(msgspec.json.decode(body, type=contract.OpenSession))
            case "GET", ["sessions"]:
                return list(self.sessions.values())
            case "GET", ["sessions", name]:
                return self._found(self.sessions, name)
            case "DELETE", ["sessions", name]:
                self._found(self.sessions, name)
                self.end(name, query.get("reason", ""))
                return self.sessions[name]
            case "POST", ["requests"]:
                return self._ask(msgspec.json.decode(body, type=contract.AskAccess))
            case "GET", ["requests"]:
                return list(self.requests.values())
            case "GET", ["requests", name]:
                with self.changed:
                    self.changed.wait_for(
                        lambda: self._found(self.requests, name).state != "pending",
                        float(query.get("wait", "0")),
                    )
                return self.requests[name]
            case "POST", ["requests", name, verb]:
                self.bodies.append(msgspec.json.decode(body))
                states = {"approve": "approved", "deny": "denied", "withdraw": "withdrawn"}
                self._found(self.requests, name)
                self.decide(name, states[verb])
                return self.requests[name]
            case "GET", ["audit", "search" | "sessions", *_]:
                start = int(query.get("cursor", "0"))
                more = start + 2 < len(self.entries)
                return contract.AuditPage(
                    entries=self.entries[start : start + 2], next=str(start + 2) if more else ""
                )
            case "GET", ["audit", "files"]:
                return contract.LogFiles(
                    files=[
                        contract.LogFile(name=name, size_bytes=len(data))
                        for name, data in self.log.items()
                    ]
                )
            case "GET", ["audit", "files", name]:
                return self.log[name]
        raise NotFound(f"no such endpoint: {method} {path}")

    def _found(self, where: dict[str, Any], name: str) -> Any:
        if name not in where:
            raise NotFound(f"there is no {name}", hint="dbgate sessions list")
        return where[name]

    def _open(self, ask: contract.OpenSession) -> contract.OpenedSession:
        self.bodies.append(ask)
        if ask.database != "prod-db":
            raise NotFound(f"there is no database {ask.database}", hint="dbgate databases")
        granted = any(r.state == "approved" for r in self.requests.values())
        if ask.access_role == "readwrite" and not granted:
            raise ApprovalNeeded("readwrite on prod-db needs an approval", rule="production-writes")
        now = datetime.now(UTC)
        info = contract.SessionInfo(
            id=f"s{len(self.sessions) + 1}",
            database="prod-db",
            access_role=ask.access_role or "readonly",
            principal=ALICE,
            state="open",
            opened_at=now,
            expires_at=now + timedelta(seconds=self.lifetime_s),
            agent=ask.agent,
        )
        self.sessions[info.id] = info
        return contract.OpenedSession(
            session=info,
            tunnel_token=self.tunnel_token,
            username=self.username,
            password=self.password,
            dbname=self.dbname,
            gateway_host="127.0.0.1",
            gateway_port=self.gateway_port,
        )

    def _ask(self, ask: contract.AskAccess) -> contract.AccessRequestInfo:
        self.bodies.append(ask)
        now = datetime.now(UTC)
        request = contract.AccessRequestInfo(
            id=f"r{len(self.requests) + 1}",
            database=ask.database,
            access_role=ask.access_role,
            requester=ALICE,
            reason=ask.reason,
            state="pending",
            approval="dba:1",
            duration_s=ask.duration_s,
            created_at=now,
            expires_at=now + timedelta(hours=24),
            statement=ask.statement,
        )
        with self.changed:
            self.requests[request.id] = request
            self.changed.notify_all()
        return request


def _handler(broker: FakeBroker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            broker.calls.append(f"{self.command} {parts.path}")
            try:
                failure = broker.fail(self.command, parts.path)
                if failure is not None:
                    raise failure
                if parts.path != "/v1/discovery":
                    self._authorize()
                self._send(200, broker.answer(self.command, parts.path, query, body))
            except DbgateError as exc:
                problem = contract.Problem(
                    code=exc.code,
                    message=exc.message,
                    hint=exc.hint,
                    rule=exc.rule,
                    exit_code=exc.exit_code,
                )
                self._send(exc.http_status, problem)

        def _authorize(self) -> None:
            scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
            if scheme != "Bearer" or not broker.accepts(token):
                raise NotSignedIn("the token does not verify", hint="dbgate login")

        def _send(self, status: int, value: object) -> None:
            data = value if isinstance(value, bytes) else msgspec.json.encode(value)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

        do_GET = do_POST = do_DELETE = _serve

    return Handler
