"""The keys of one issuer: discovered, kept, renewed when they rotate, kept on while it is down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from dbgate_broker.https import split
from dbgate_broker.identity import fetch, jwks
from dbgate_core.errors import DbgateError, Unreachable, UsageError

FRESH_S: Final = 300.0
"""Keys are read again after it, so a key that the issuer withdraws is refused within 5 minutes."""
KEEP_S: Final = 3600.0
"""How long keys serve on when the issuer cannot be asked. After it nobody can sign in."""
PAUSE_S: Final = 10.0
"""The least time between two readings: tokens with invented key ids cannot make us ask more often.

A token of a new key may therefore be refused for so long after another reading.
"""
RETRY_S: Final = 1.0
"""The same while there are no keys at all: the issuer may still be starting."""
MAX_ALTERNATIVES: Final = 4
"""How many keys of one key id are tried."""

_log = logging.getLogger("dbgate.identity")


class IssuerKeys:
    """The signing keys of the issuer at `url`, through OpenID Connect Discovery 1.0."""

    def __init__(self, url: str, get: fetch.Fetch, monotonic: Callable[[], float]) -> None:
        self._url = url
        self._get = get
        self._monotonic = monotonic
        self._keys: tuple[jwks.SigningKey, ...] = ()
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._failure: DbgateError | None = None
        self._reading: asyncio.Task[None] | None = None

    async def find(self, kid: str, alg: str) -> tuple[jwks.SigningKey, ...]:
        """The keys that may have made a signature of that key id and algorithm; none, or a few.

        Raises Unreachable when the issuer cannot be asked and no key is kept that is young enough.
        """
        if self._age() > FRESH_S:
            await self._renew()
        if self._age() > KEEP_S:
            raise Unreachable(
                f"the keys of the issuer {self._url} cannot be had",
                hint=self._failure.message if self._failure else "try again in a few seconds",
                code="auth.issuer_unreachable",
            ) from self._failure
        found = self._known(kid, alg)
        if not found:
            await self._renew()
            found = self._known(kid, alg)
        return found

    def _known(self, kid: str, alg: str) -> tuple[jwks.SigningKey, ...]:
        """Without a key id, only where one key alone can be meant (OpenID Connect Core, 10.1)."""
        fitting = tuple(key for key in self._keys if key.fits(alg) and kid in ("", key.kid))
        return fitting if len(fitting) <= (MAX_ALTERNATIVES if kid else 1) else ()

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._monotonic() - self._read_at

    async def _renew(self) -> None:
        """Read the keys, unless that was tried just now; all who wait share one reading."""
        if self._reading is None:
            now = self._monotonic()
            pause_s = RETRY_S if self._age() > KEEP_S else PAUSE_S
            if self._tried_at is not None and now - self._tried_at < pause_s:
                return
            self._tried_at = now
            self._reading = asyncio.get_running_loop().create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        """Read them once; a failure is kept, and the keys there were stay."""
        try:
            asked_at = self._monotonic()
            self._keys = await self._discover()
            self._read_at, self._failure = asked_at, None
        except DbgateError as exc:
            self._failure = exc
            _log.warning("issuer %s: %s", self._url, exc.message)
        finally:
            self._reading = None

    async def _discover(self) -> tuple[jwks.SigningKey, ...]:
        well_known = self._url.rstrip("/") + "/.well-known/openid-configuration"
        document = jwks.parse_object(await self._get(well_known), "discovery document")
        if document.get("issuer") != self._url:  # Discovery, section 4.3
            raise Unreachable(f"{well_known} is the document of another issuer")
        keys_url = document.get("jwks_uri")
        if not isinstance(keys_url, str):
            raise Unreachable(f"{well_known} names no key set")
        try:
            scheme = split(keys_url).scheme
        except UsageError as exc:
            raise Unreachable(f"{well_known} names a key set at no https URL") from exc
        if scheme == "http" and not self._url.startswith("http:"):
            raise Unreachable(f"{well_known} names a key set without TLS")
        return jwks.parse(await self._get(keys_url))
