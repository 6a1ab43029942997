"""What a request says, read strictly: token, query and body."""

from __future__ import annotations

import string
from typing import Final, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dbgate_core.errors import LimitExceeded, NotFound, NotSignedIn, UsageError
from dbgate_core.secret import Secret

MAX_BODY_BYTES: Final = 1024 * 1024
"""A statement that is asked for may be long; everything else is short."""
MAX_UNKEPT_BYTES: Final = 8 * MAX_BODY_BYTES
"""Above it the connection is closed instead."""
MAX_PARAMETERS: Final = 50
MAX_ID_CHARS: Final = 200
_TOKEN68: Final = frozenset(string.ascii_letters + string.digits + "-._~+/=")

T = TypeVar("T", bound=msgspec.Struct)


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No parameters, or an empty body."""


def bearer(request: Request) -> Secret:
    """The one bearer token (RFC 6750, section 2.1). Raises NotSignedIn when there is not exactly one."""
    given = request.headers.getlist("authorization")
    if not given:
        raise NotSignedIn("sign in first: the request has no token", hint="dbgate login")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token or not _TOKEN68.issuperset(token):
        raise NotSignedIn("the request has no single bearer token", hint="dbgate login")
    return Secret(token)


def query(request: Request, shape: type[T]) -> T:
    """The query as a struct: each parameter known and given once. Raises UsageError."""
    given = request.query_params.multi_items()
    values = dict(given)
    if len(values) != len(given) or len(given) > MAX_PARAMETERS:
        raise UsageError("the query gives a parameter twice, or too many of them")
    if any("\0" in value for value in values.values()):
        raise UsageError("the query holds a NUL character")
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as exc:
        raise UsageError(f"the query is not valid: {_plain(exc)}") from exc


def path(request: Request) -> dict[str, str]:
    """The ids in the path. Raises NotFound for what can be none."""
    ids = {name: str(value) for name, value in request.path_params.items()}
    if not all(value.isprintable() and len(value) <= MAX_ID_CHARS for value in ids.values()):
        raise NotFound("no such thing: the path holds what is not an id")
    return ids


async def body(request: Request, shape: type[T]) -> T:
    """The JSON body as a struct, unknown fields refused. Raises UsageError that names the field.

    `Content-Type: application/json` is demanded: no HTML form of another site can send it unasked.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise HTTPException(415, "the body must be sent as Content-Type: application/json")
    raw = await _bounded(request)
    try:
        value = msgspec.json.decode(raw or b"{}", type=shape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise UsageError(f"the body is not valid: {_plain(exc)}") from exc
    for name in shape.__struct_fields__:
        text = getattr(value, name)
        if isinstance(text, str) and "\0" in text:
            raise UsageError(f"the body is not valid: `{name}` holds a NUL character")
    return value


async def _bounded(request: Request) -> bytes:
    """The body. One that is too long is read on for a while, unkept: its sender shall hear why."""
    too_long = LimitExceeded(f"the body is longer than {MAX_BODY_BYTES} bytes")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_UNKEPT_BYTES:
        raise too_long
    raw, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UNKEPT_BYTES:
            raise too_long
        if size <= MAX_BODY_BYTES:
            raw += chunk
    if size > MAX_BODY_BYTES:
        raise too_long
    return bytes(raw)


def _plain(exc: Exception) -> str:
    """Our own words of where it is wrong; never the value, which may be a secret typed by mistake."""
    return str(exc).replace("$.", "").replace("Object", "the object", 1)
