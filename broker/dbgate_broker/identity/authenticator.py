"""From a bearer token to a principal: every check there is, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dbgate_broker.config import IssuerConfig
from dbgate_broker.https import split
from dbgate_broker.identity import claims, fetch, jwks, mapping, token
from dbgate_broker.identity.keys import IssuerKeys
from dbgate_core.errors import UsageError
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.secret import Secret


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token is, and until when it may be used."""

    principal: Principal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Trusted:
    config: IssuerConfig
    keys: IssuerKeys


class Authenticator:
    """Verifies ID tokens of the configured issuers.

    An ID token may be used again until it expires: that is what a bearer token is. It is worth as
    much as its life is short, therefore, and stays between the command line and the broker (TLS).
    """

    def __init__(
        self,
        issuers: Sequence[IssuerConfig],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        monotonic: Callable[[], float] = time.monotonic,
        fetcher: Callable[[IssuerConfig], fetch.Fetch] = lambda issuer: fetch.HttpFetch(
            issuer.ca_file
        ),
    ) -> None:
        """Raises UsageError when an issuer's configuration cannot be right."""
        self._clock = clock
        self._trusted: dict[str, _Trusted] = {}
        for issuer in issuers:
            check_config(issuer)
            if issuer.url in self._trusted:
                raise UsageError(f"the issuer {issuer.url} is configured twice")
            keys = IssuerKeys(issuer.url, fetcher(issuer), monotonic)
            self._trusted[issuer.url] = _Trusted(issuer, keys)

    async def principal(self, bearer: Secret | str) -> Principal:
        """Whom the token stands for. Raises as `verify`."""
        return (await self.verify(bearer)).principal

    async def verify(self, bearer: Secret | str) -> Identity:
        """Verify an ID token. Raises NotSignedIn, or Unreachable when its issuer's keys cannot be had.

         1. Its size is bounded, it is a compact JWS of three parts, its JSON is strict, and it is
            not typed as anything but a JWT (`token.parse`).
         2. Its `iss` is a configured issuer; only which one is taken from it.
         3. Its algorithm is one that is configured for this issuer: never `none`, never symmetric.
         4. Its key is one that this issuer publishes for signatures, of the kind the algorithm needs.
         5. Its signature holds.
         6. Its claims say that it is for us and for now (`claims.check`).
         7. Its claims name a principal (`mapping.principal`).
        What the principal may do is the caller's question, and policy's.
        """
        text = bearer.expose() if isinstance(bearer, Secret) else bearer
        unverified = token.parse(text)  # 1
        issuer = unverified.claims.get("iss")  # 2
        trusted = self._trusted.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise token.refusal("the token is of an issuer that this broker does not trust")
        if unverified.alg not in trusted.config.algorithms:  # 3
            raise token.refusal("the token is signed by an algorithm that is not accepted")
        keys = await trusted.keys.find(unverified.kid, unverified.alg)  # 4
        if not keys:
            raise token.refusal("the token is signed by a key that its issuer does not publish")
        if not jwks.verifies(text, unverified.alg, keys):  # 5
            raise token.refusal("the token's signature does not verify")
        expires_at = claims.check(unverified.claims, trusted.config, self._clock())  # 6
        return Identity(mapping.principal(unverified.claims, trusted.config), expires_at)  # 7


def check_config(issuer: IssuerConfig) -> None:
    """Refuse what would be unsafe or could never work. Raises UsageError."""
    split(issuer.url)
    if not issuer.audience:
        raise UsageError(f"the issuer {issuer.url} needs an audience")
    wrong = sorted(set(issuer.algorithms) - set(jwks.ALGORITHMS))
    if wrong or not issuer.algorithms:
        raise UsageError(
            f"the issuer {issuer.url} has algorithms that are not accepted: {', '.join(wrong)}",
            hint=f"choose of {', '.join(jwks.ALGORITHMS)}",
        )
    for rule in issuer.principals:
        if rule.kind not in list(PrincipalKind):
            raise UsageError(f"{issuer.url}: {rule.kind!r} is not a kind of principal")
        if not rule.match:
            raise UsageError(
                f"{issuer.url}: a rule without `match` takes every token for {rule.kind} {rule.name}",
                hint="name the claims that its tokens have, e.g. repository and ref",
            )
        if rule.name and not mapping.readable(rule.name):
            raise UsageError(f"{issuer.url}: {rule.name!r} is not a name")
