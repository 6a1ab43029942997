"""A running API over TLS: the real server, identity and audit log; sessions and requests in memory."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dbgate_broker.api.app import build
from dbgate_broker.api.operations import Scrape
from dbgate_broker.api.server import ApiServer
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.audit.search import AuditQuery
from dbgate_broker.config import AuditConfig
from dbgate_broker.telemetry.readiness import Readiness
from dbgate_broker.telemetry.tally import Tallies
from dbgate_broker.testing.identity import TokenBook
from dbgate_cli.client import Broker
from dbgate_cli.settings import Settings
from dbgate_core.contract import Discovery
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret
from tests.integration.api.doubles import (
    AGENT,
    ALICE,
    BOB,
    CAROL,
    AuditorsOnly,
    FixedExplanation,
    FixedMetrics,
    MemoryClasses,
    MemoryRequests,
    MemorySessions,
)
from tests.integration.cli import authority

T = TypeVar("T")
LIMIT_S = 20.0
METRICS_TOKEN = "metrics-token-7d21-metrics-token-7d21"


@dataclass(frozen=True)
class Reply:
    """An answer, with its JSON."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """The API, in a loop of its own thread. Tokens are people's names."""

    def __init__(self, folder: Path) -> None:
        self.ca_file, leaf = authority.make(folder)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(leaf)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._clients: list[Broker] = []
        self.tokens = TokenBook()
        self.tokens.known = {one.name: one for one in (ALICE, BOB, CAROL, AGENT)}
        self.log = AuditLog.open(
            AuditConfig(directory=folder / "audit", signing_key=folder / "key.pem")
        )
        self.run(self._start())

    async def _start(self) -> None:
        self.sessions, self.requests = MemorySessions(), MemoryRequests()
        self.readiness, self.tallies = Readiness({"vault": self._vault}), Tallies()
        self.vault_sealed = False
        self.app = build(
            authenticator=self.tokens,
            sessions=self.sessions,
            requests=self.requests,
            classes=MemoryClasses(),
            explaining=FixedExplanation(),
            audit=self.log,
            policies=AuditorsOnly(),
            discovery=self.discovery,
            readiness=self.readiness,
            counted=self.tallies,
            scrape=Scrape(FixedMetrics(), Secret(METRICS_TOKEN)),
            recorder=self.log,
        )
        self.server = ApiServer(self.app, self.tls)
        self.port = await self.server.start("127.0.0.1", 0)

    async def _vault(self) -> None:
        if self.vault_sealed:
            raise Unreachable("Vault is sealed")

    @property
    def discovery(self) -> Discovery:
        return Discovery(
            version="0.1.0",
            issuer="https://issuer.test",
            client_id="dbgate",
            gateway_host="127.0.0.1",
            gateway_port=5,
            audit_public_key=self.log.public_key,
        )

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LIMIT_S)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.log.close()

    def broker(self, who: str = "alice") -> Broker:
        """The command line's client, as somebody."""
        settings = Settings(home=self.ca_file.parent, broker=self.url, ca_file=self.ca_file)
        self._clients.append(Broker(settings, lambda: Secret(who)))
        return self._clients[-1]

    def client_tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=LIMIT_S, context=self.client_tls()
        )

    def tls_connection(self) -> ssl.SSLSocket:
        """A connection that has said nothing yet."""
        plain = socket.create_connection(("127.0.0.1", self.port), LIMIT_S)
        return self.client_tls().wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        who: str = "alice",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; `who` empty: without a token."""
        sent = {"Authorization": f"Bearer {who}"} if who else {}
        if method == "POST":
            sent["Content-Type"] = "application/json"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = self.connection()
        try:
            connection.request(
                method,
                target,
                None if body is None else raw,
                {**sent, **(headers or {})},
            )
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def reset(self) -> None:
        """Forget what was asked and done, and every fault."""
        self.tokens.down = None
        self.sessions.fail = lambda: None
        for kept in (self.sessions, self.requests):
            kept.rows.clear()
            kept.asked.clear()

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The log's entries of a kind."""
        return self.log.search(AuditQuery(kind=kind), "", 1000).entries


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    running = Api(tmp_path)
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One for a whole module, for tests that leave it as they find it."""
    running = Api(tmp_path_factory.mktemp("api"))
    yield running
    running.close()
