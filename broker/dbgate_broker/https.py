"""One bounded HTTP/1.1 exchange with somebody else's server: no redirect, no proxy, no cookie.

The caller sets the deadline for all of it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11

from dbgate_core.errors import UsageError

MAX_BODY_BYTES: Final = 256 * 1024
"""Discovery documents have some 3 KiB, key sets some 10 KiB."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CHUNK_BYTES: Final = 16 * 1024


def split(url: str) -> SplitResult:
    """A URL that may be asked: https, or http to this machine. Raises UsageError else."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is not a number
    except ValueError as exc:
        raise UsageError(f"{url!r} is not a URL") from exc
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise UsageError(f"{url!r} is not an https URL")
    if "@" in parts.netloc or parts.fragment or not url.isascii() or not url.isprintable():
        raise UsageError(f"{url!r} is not a plain URL")
    return parts


async def exchange(
    parts: SplitResult,
    tls: ssl.SSLContext,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    only_status: bool = False,
) -> tuple[int, bytes]:
    """The status and body of the answer. Raises OSError (TLS included), h11.RemoteProtocolError, UnicodeError."""
    context = tls if parts.scheme == "https" else None
    port = parts.port or (443 if context else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        connection = h11.Connection(h11.CLIENT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        own = [("Host", parts.netloc), ("Accept", "application/json"),
               ("Connection", "close"), ("User-Agent", "dbgate")]  # fmt: skip
        if body:
            own.append(("Content-Length", str(len(body))))
        request = h11.Request(method=method, target=target, headers=[*own, *headers])
        writer.write(connection.send(request) or b"")
        if body:
            writer.write(connection.send(h11.Data(data=body)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return await _answer(connection, reader, only_status=only_status)
    finally:
        writer.transport.abort()


async def _answer(
    connection: h11.Connection, reader: asyncio.StreamReader, *, only_status: bool
) -> tuple[int, bytes]:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
            if only_status:
                return status, b""
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise OSError(f"more than {MAX_BODY_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise OSError("the connection was closed")
