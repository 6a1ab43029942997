"""What machines ask of a broker: is it alive, can it work, what are its figures."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Protocol

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dbgate_broker.api import reading
from dbgate_broker.api.endpoint import Call
from dbgate_broker.api.problems import JSON
from dbgate_broker.api.reading import Nothing
from dbgate_broker.config import TelemetryConfig
from dbgate_broker.files import read_or_make
from dbgate_core import contract
from dbgate_core.errors import NotSignedIn, UsageError
from dbgate_core.secret import Secret

METRICS_PATH: Final = "/metrics"
TOKEN_BYTES: Final = 32
LEAST_TOKEN_CHARS: Final = 32
"""Of a token that somebody else made: nobody may guess it, and nothing slows guessing."""


class Health(contract.Answer, frozen=True, kw_only=True):
    """`GET /healthz`: the broker answers."""

    status: str = "ok"


class Readiness(contract.Answer, frozen=True, kw_only=True):
    """`GET /readyz`: whether sessions can be opened here, and which part stands in the way.

    The status is 503 when `ready` is false. What is wrong with a part is in the broker's own log.
    """

    ready: bool
    checks: Mapping[str, bool]


class RendersMetrics(Protocol):
    """`telemetry.metrics.Metrics`."""

    async def render(self, accept: str) -> tuple[bytes, str]:
        """The text and its media type."""


async def health(call: Call[Nothing, Nothing]) -> Health:
    """Say that the broker answers."""
    return Health()


async def readiness(call: Call[Nothing, Nothing]) -> Response:
    """Say whether it can work."""
    checks = await call.services.readiness.look()
    answer = Readiness(ready=all(checks.values()), checks=checks)
    status = HTTPStatus.OK if answer.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(msgspec.json.encode(answer), status, media_type=JSON)


class Scrape:
    """`GET /metrics`, for who shows the token of `telemetry.metrics_token_file`.

    The figures name databases and say how much is done in them, so they are not for everybody; a
    monitoring system has no OIDC identity, so it has a token of its own, good for nothing else.
    """

    def __init__(self, metrics: RendersMetrics, token: Secret) -> None:
        self._metrics = metrics
        self._token = token.expose().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises NotSignedIn, HTTPException."""
        if scope["method"] != "GET":
            raise HTTPException(405, f"{scope['method']} is not for this path", {"Allow": "GET"})
        request = Request(scope, receive)
        if not hmac.compare_digest(reading.bearer(request).expose().encode(), self._token):
            raise NotSignedIn(
                "this is not the token for metrics",
                hint="the broker's telemetry.metrics_token_file holds it",
            )
        text, media = await self._metrics.render(request.headers.get("accept", ""))
        await Response(text, media_type=media)(scope, receive, send)


def scrape(config: TelemetryConfig, metrics: RendersMetrics) -> Scrape | None:
    """The endpoint, when a token for it is configured; a new token is made. Raises UsageError."""
    file = config.metrics_token_file
    if file is None:
        return None
    made = read_or_make(file, lambda: secrets.token_urlsafe(TOKEN_BYTES).encode())
    token = made.decode("ascii", "replace").strip()
    if len(token) < LEAST_TOKEN_CHARS or not token.isascii():
        raise UsageError(
            f"{file} holds no token: at least {LEAST_TOKEN_CHARS} ASCII characters",
            hint="remove it: the broker makes a good one at its start",
        )
    return Scrape(metrics, Secret(token))
