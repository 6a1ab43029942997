"""One bounded GET to an issuer: no redirect, no proxy, no cookie, one deadline for all of it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

import h11

from dbgate_core.errors import Unreachable, UsageError

DEADLINE_S: Final = 5.0
MAX_BODY_BYTES: Final = 256 * 1024
"""Discovery documents have some 3 KiB, key sets some 10 KiB."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CHUNK_BYTES: Final = 16 * 1024


class Fetch(Protocol):
    """How documents of an issuer are had."""

    async def __call__(self, url: str) -> bytes:
        """The body of a 200. Raises Unreachable."""


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


class HttpFetch:
    """`Fetch` over HTTP/1.1. TLS is verified against `ca_file` alone when given, else the system's."""

    def __init__(self, ca_file: Path | None = None, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        try:
            self._tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except (OSError, ssl.SSLError) as exc:
            raise UsageError(f"cannot read the issuer's CA file {ca_file}: {exc}") from exc

    async def __call__(self, url: str) -> bytes:
        """The body of a 200. Raises Unreachable."""
        parts = split(url)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._get(parts)
        except TimeoutError as exc:
            raise _unreachable(url, f"no answer within {self._deadline_s:g} s") from exc
        except ssl.SSLCertVerificationError as exc:
            raise _unreachable(url, f"its certificate: {exc.verify_message}") from exc
        except h11.RemoteProtocolError as exc:
            raise _unreachable(url, "its answer is no HTTP, too long or cut off") from exc
        except (OSError, UnicodeError) as exc:
            raise _unreachable(url, str(exc) or type(exc).__name__) from exc

    async def _get(self, parts: SplitResult) -> bytes:
        tls = self._tls if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls)
        try:
            connection = h11.Connection(h11.CLIENT)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = [("Host", parts.netloc), ("Accept", "application/json"),
                       ("Connection", "close"), ("User-Agent", "dbgate")]  # fmt: skip
            request = h11.Request(method="GET", target=target, headers=headers)
            writer.write(connection.send(request) + connection.send(h11.EndOfMessage()))
            await writer.drain()
            return await _answer(connection, reader)
        finally:
            writer.transport.abort()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            if event.status_code != 200:
                raise OSError(f"HTTP status {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise OSError(f"more than {MAX_BODY_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise OSError("the connection was closed")


def _unreachable(url: str, reason: str) -> Unreachable:
    return Unreachable(
        f"the issuer does not give its keys: {url}: {reason}",
        hint="is the issuer up, and its `ca_file` in the broker's configuration right?",
        code="auth.issuer_unreachable",
    )
