"""The tunnel's opening: one HTTP CONNECT (RFC 9110, section 9.3.6), and its answers.

CONNECT prod-db:5432 HTTP/1.1
Host: prod-db:5432
Proxy-Authorization: Bearer <tunnel token>
Dbgate-Session: <session id>
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import h11
import msgspec

from dbgate_broker.gateway.limits import MAX_HEAD_BYTES
from dbgate_core.contract import Problem
from dbgate_core.errors import DbgateError, NotSignedIn, ProtocolViolation
from dbgate_core.secret import Secret

HEAD_END: Final = b"\r\n\r\n"
ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
MAX_NAME_BYTES: Final = 256
_BODY: Final = frozenset([b"content-length", b"transfer-encoding"])
_HINT: Final = "this port is for the tunnels of dbgate connect; the API has another one"


class WrongMethod(ProtocolViolation):
    """A request, but no CONNECT."""

    http_status = 405


class HeadTooLarge(ProtocolViolation):
    """A head over the bound."""

    http_status = 431


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client asks for, and what it shows."""

    database: str
    session_id: str
    token: Secret


def parse(head: bytes | None) -> Connect:
    """Read a whole head. Raises ProtocolViolation, or NotSignedIn without a token."""
    if head is None:
        raise HeadTooLarge(f"the request's head is over {MAX_HEAD_BYTES} bytes")
    request = _request(head)
    if request.method != b"CONNECT":
        raise WrongMethod("only CONNECT is spoken here", hint=_HINT)
    if request.http_version != b"1.1":
        raise ProtocolViolation("only HTTP/1.1 is spoken here")
    headers = _headers(request)
    if headers.keys() & _BODY:
        raise ProtocolViolation("a CONNECT has no body")
    target = _text(request.target)
    if _text(headers[b"host"]) != target:
        raise ProtocolViolation("Host and the target of the CONNECT differ")
    database, _, port = target.rpartition(":")
    if port != "5432" or not database:
        raise ProtocolViolation("the target of a CONNECT is <database>:5432", hint=_HINT)
    return Connect(database, _session_id(headers), _token(headers))


def _request(head: bytes) -> h11.Request:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
    try:
        connection.receive_data(head)
        event = connection.next_event()
    except h11.RemoteProtocolError as exc:
        raise ProtocolViolation("the request is not HTTP/1.1", hint=_HINT) from exc
    if not isinstance(event, h11.Request):
        raise ProtocolViolation("the request is not HTTP/1.1", hint=_HINT)
    return event


def _headers(request: h11.Request) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if name in headers:
            raise ProtocolViolation("a header stands twice")
        headers[name] = value
    return headers


def _text(value: bytes) -> str:
    if not 0 < len(value) <= MAX_NAME_BYTES:
        raise ProtocolViolation("a name of a wrong length")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError as exc:
        raise ProtocolViolation("a name that is not ASCII") from exc


def _session_id(headers: dict[bytes, bytes]) -> str:
    if b"dbgate-session" not in headers:
        raise ProtocolViolation("a CONNECT without its Dbgate-Session header", hint=_HINT)
    return _text(headers[b"dbgate-session"])


def _token(headers: dict[bytes, bytes]) -> Secret:
    scheme, _, token = headers.get(b"proxy-authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token or not token.isascii():
        raise NotSignedIn("a CONNECT without its tunnel token", hint="dbgate connect")
    return Secret(token.decode("ascii"))


def refusal(exc: DbgateError) -> bytes:
    """The whole error answer, with the problem as JSON; the connection closes after it."""
    problem = Problem(
        code=exc.code,
        message=exc.message,
        hint=exc.hint,
        rule=exc.rule,
        exit_code=exc.exit_code,
    )
    body = msgspec.json.encode(problem)
    status = HTTPStatus(exc.http_status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if status is HTTPStatus.UNAUTHORIZED:
        lines.append("WWW-Authenticate: Bearer")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append("Allow: CONNECT")
    return "\r\n".join([*lines, "", ""]).encode() + body
