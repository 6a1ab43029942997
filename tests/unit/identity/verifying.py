"""A signer, an authenticator that trusts it, and clocks that tests move."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from dbgate_broker.config import IssuerConfig
from dbgate_broker.identity import Authenticator, Identity
from dbgate_broker.testing.identity import AUDIENCE, Signer
from dbgate_core.errors import Unreachable
from dbgate_core.principal import Principal

START = 1_900_000_000.0


class World:
    """`now` is the wall clock and, for the keys' age, the monotonic one too; `asked` are the URLs."""

    def __init__(self, algs: tuple[str, ...] = ("ES256",), **config: Any) -> None:
        self.now = START
        self.signer = Signer(algs=algs, clock=lambda: self.now)
        self.config = IssuerConfig(**{"url": self.signer.url, "audience": AUDIENCE, **config})
        self.asked: list[str] = []
        self.asking = asyncio.Event()
        self.down = False
        self.authenticator = Authenticator(
            [self.config],
            clock=lambda: datetime.fromtimestamp(self.now, UTC),
            monotonic=lambda: self.now,
            fetcher=lambda issuer: self._get,
        )

    async def _get(self, url: str) -> bytes:
        self.asked.append(url)
        self.asking.set()
        await asyncio.sleep(0)
        if self.down:
            raise Unreachable("the issuer does not answer")
        keys = url == self.signer.discovery["jwks_uri"]
        return json.dumps(self.signer.key_set() if keys else self.signer.discovery).encode()

    @property
    def readings(self) -> int:
        """How often the keys were asked for."""
        return len([url for url in self.asked if url.endswith("openid-configuration")])

    def verify(self, token: str) -> Identity:
        """One verification."""
        return asyncio.run(self.authenticator.verify(token))

    def principal(self, **claims: object) -> Principal:
        """Whom a good token with these claims stands for."""
        return self.verify(self.signer.token(**claims)).principal  # type: ignore[arg-type]  # any claim
