"""The HTTP API as an ASGI application: the table's endpoints, each behind the same gate."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dbgate_broker.api import openapi, reading
from dbgate_broker.api.calls import Calls, stopping
from dbgate_broker.api.endpoint import Call
from dbgate_broker.api.operations import METRICS_PATH, Scrape
from dbgate_broker.api.problems import JSON, problem_response
from dbgate_broker.api.reading import Nothing
from dbgate_broker.api.seams import (
    AnswersCounted,
    AuditReader,
    Authenticates,
    ClassesApi,
    ExplainsStatements,
    MayPolicy,
    ReadinessApi,
    RequestsApi,
    Services,
    SessionsApi,
)
from dbgate_broker.api.table import TABLE, AnyEndpoint
from dbgate_broker.telemetry.logs import about
from dbgate_core.audit.recorder import Recorder
from dbgate_core.contract import Discovery
from dbgate_core.errors import DbgateError

HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
]
"""On every answer: nothing is kept by a cache or shown by a browser as anything but data."""


def build(
    *,
    authenticator: Authenticates,
    sessions: SessionsApi,
    requests: RequestsApi,
    classes: ClassesApi,
    explaining: ExplainsStatements,
    audit: AuditReader,
    policies: MayPolicy,
    discovery: Discovery,
    readiness: ReadinessApi,
    counted: AnswersCounted,
    scrape: Scrape | None = None,
    recorder: Recorder | None = None,
) -> Starlette:
    """The application. With `recorder` (the audit log) every reading of the log is an entry in it.

    Without `scrape` there are no metrics.
    """
    services = Services(
        authenticator=authenticator,
        sessions=sessions,
        requests=requests,
        classes=classes,
        explaining=explaining,
        audit=audit,
        policies=policies,
        discovery=discovery,
        readiness=readiness,
        counted=counted,
        recorder=recorder,
    )
    calls = Calls()
    by_path: defaultdict[str, dict[str, AnyEndpoint]] = defaultdict(dict)
    for endpoint in TABLE:
        by_path[endpoint.path][endpoint.method] = endpoint
    described = msgspec.json.encode(openapi.document(TABLE, discovery.version))
    routes = [Route(path, Resource(found, services, calls)) for path, found in by_path.items()]
    routes.append(Route(openapi.PATH, Described(described)))
    if scrape is not None:
        routes.append(Route(METRICS_PATH, scrape))
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Headers)],
        exception_handlers={HTTPException: _problem, DbgateError: _problem, Exception: _problem},
    )
    app.router.redirect_slashes = False
    app.state.calls = calls
    return app


class Resource:
    """The endpoints of one path, by method."""

    def __init__(self, endpoints: dict[str, AnyEndpoint], services: Services, calls: Calls) -> None:
        self._endpoints = endpoints
        self._services = services
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever fails becomes a Problem, unless the answer has begun."""
        begun = 0
        started = time.monotonic_ns()

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["status"]
            await send(message)

        try:
            endpoint = self._endpoint(scope["method"])
            async with self._calls.running(endpoint.deadline_s):
                response = await self._answer(endpoint, Request(scope, receive))
                await response(scope, receive, sending)
        except (Exception, asyncio.CancelledError) as exc:
            if begun or (isinstance(exc, asyncio.CancelledError) and not self._calls.stopping):
                raise
            failed = stopping() if isinstance(exc, asyncio.CancelledError) else exc
            number = secrets.token_hex(6)
            about.set({"request": number})
            await problem_response(failed, number)(scope, receive, sending)
        finally:
            if begun:
                self._count(scope["method"], begun, time.monotonic_ns() - started)

    def _count(self, method: str, status: int, ns: int) -> None:
        """Count an answer; methods that the path does not have are one, since anybody may make them up."""
        route = next(iter(self._endpoints.values())).path
        known = method if method in self._endpoints else "other"
        self._services.counted.answered(known, route, status, ns)

    def _endpoint(self, method: str) -> AnyEndpoint:
        if (found := self._endpoints.get(method)) is None:
            allowed = ", ".join(sorted(self._endpoints))
            raise HTTPException(405, f"{method} is not for this path", {"Allow": allowed})
        return found

    async def _answer(self, endpoint: AnyEndpoint, request: Request) -> Response:
        """Token first, then path, query and body; only then the handler.

        1. Unless the endpoint is anonymous, there is one bearer token, and it verifies.
        2. Ids, query and body are what the endpoint takes, nothing more.
        3. The handler asks a service, which asks policy.
        """
        identity = None
        if not endpoint.anonymous:  # 1
            identity = await self._services.authenticator.verify(reading.bearer(request))
        ids = reading.path(request)  # 2
        query = reading.query(request, endpoint.query)
        body: Any = Nothing()
        if endpoint.body is not None:
            body = await reading.body(request, endpoint.body)
        call = Call(self._services, self._calls, identity, ids, query, body)
        answer = await endpoint.handler(call)  # 3
        if isinstance(answer, Response):
            return answer
        return Response(msgspec.json.encode(answer), media_type=JSON)


class Described:
    """The OpenAPI document."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give it to anyone who GETs it."""
        if scope["method"] != "GET":
            raise HTTPException(405, f"{scope['method']} is not for this path", {"Allow": "GET"})
        await Response(self._document, media_type=JSON)(scope, receive, send)


class Headers:
    """Adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, sending)


def _problem(request: Request, exc: Exception) -> Response:
    return problem_response(exc, secrets.token_hex(6))
