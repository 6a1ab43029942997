"""Every failure in one form: a `Problem`, with the status of its class and no more than it may say."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dbgate_core.contract import Problem
from dbgate_core.errors import (
    DbgateError,
    LimitExceeded,
    NotFound,
    NotSignedIn,
    Unreachable,
    UsageError,
)

JSON: Final = "application/json"
_log = logging.getLogger("dbgate.api")


def problem_response(exc: BaseException, correlation: str) -> Response:
    """The answer for a failure. What is not a DbgateError is logged, and only its number is told."""
    error, status, headers = _known(exc, correlation)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="dbgate", error="invalid_token"'
    if isinstance(error, LimitExceeded):
        headers["Connection"] = "close"  # the rest of the body is not read
    problem = Problem(
        code=error.code,
        message=error.message,
        hint=error.hint,
        rule=error.rule,
        exit_code=error.exit_code,
    )
    return Response(msgspec.json.encode(problem), status, headers, JSON)


def _known(exc: BaseException, correlation: str) -> tuple[DbgateError, int, dict[str, str]]:
    if isinstance(exc, DbgateError):
        return exc, exc.http_status, {}
    if isinstance(exc, HTTPException):
        return _of_http(exc), exc.status_code, dict(exc.headers or {})
    if isinstance(exc, TimeoutError):
        late = Unreachable(
            "the broker did not finish this in time", hint="try again", code="timeout"
        )
        return late, late.http_status, {}
    _log.error("unexpected failure %s", correlation, exc_info=exc)
    unknown = DbgateError(
        f"the broker failed unexpectedly (number {correlation})",
        hint="the broker's own log has the details under this number",
    )
    return unknown, unknown.http_status, {}


def _of_http(exc: HTTPException) -> DbgateError:
    message = exc.detail[:1].lower() + exc.detail[1:]
    match exc.status_code:
        case HTTPStatus.NOT_FOUND:
            return NotFound("no such endpoint", hint="GET /v1/openapi.json lists them")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return LimitExceeded(message)
        case _:
            return UsageError(message)
