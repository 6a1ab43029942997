"""HTTP over TLS with deadlines and bounds, for the broker and the issuer alike.

Standard library alone: `dbgate whoami` must not wait for imports. Redirects are never followed
here; a token would follow them. Proxies of the environment (HTTPS_PROXY) are not used either: a
tunnel would need one that passes CONNECT to any port, and half a way through a proxy helps nobody.
`dbgate doctor` says so where one is set.
"""

from __future__ import annotations

import http.client
import select
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dbgate_core.errors import LimitExceeded, Unreachable, UsageError

TIMEOUT_S: Final = 10.0
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""The most an answer may hold; a page of audit entries stays far below it."""
REPEATABLE: Final = frozenset({"GET", "DELETE"})
"""Methods that do no more when done twice (RFC 9110, section 9.2.2)."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status code, headers (pairs, as sent) and the whole body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of this name, in any case; empty when missing."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


def tls_context(ca_file: Path | None, *, system: bool = False) -> ssl.SSLContext:
    """A verifying client context (TLS 1.2 or newer, host names checked).

    It trusts `ca_file` alone when given, and the system's authorities too with `system`.
    Raises UsageError when the file cannot be read.
    """
    if ca_file is None:
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(cafile=None if system else str(ca_file))
        if system:
            context.load_verify_locations(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as exc:
        raise UsageError(
            f"cannot read the CA file {ca_file}: {exc.strerror or exc}",
            hint="set DBGATE_CA_FILE to the PEM file of the broker's certificate authority",
        ) from exc
    return context


class Channel:
    """One origin (`https://host:port`), one connection kept alive between requests.

    Plain http is taken for loopback hosts only. Not for use by two threads at once.
    """

    def __init__(self, origin: str, context: ssl.SSLContext, *, name: str) -> None:
        parts = urlsplit(origin)
        self.host = parts.hostname or ""
        try:
            self.port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as exc:
            raise UsageError(f"{name}: {origin} is not a URL") from exc
        plain = parts.scheme == "http" and self.host in LOOPBACK
        if not self.host or not (parts.scheme == "https" or plain):
            raise UsageError(f"{name}: {origin} is not an https URL")
        self._context = None if plain else context
        self._name = name
        self._connection: http.client.HTTPConnection | None = None

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> Reply:
        """Send a request; give the whole answer within `timeout_s`.

        Raises Unreachable when there is none, LimitExceeded when it is larger than `max_bytes`.
        A peer closes connections that rest: a request that may be repeated is then sent once more.
        """
        deadline = time.monotonic() + timeout_s
        self._drop_if_closed()
        fresh = self._connection is None
        try:
            return self._once(method, target, headers or {}, body, deadline, max_bytes)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as exc:
            self.close()
            if fresh or method not in REPEATABLE:
                raise self._unreachable(exc) from exc
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            raise self._unreachable(exc) from exc
        try:
            return self._once(method, target, headers or {}, body, deadline, max_bytes)
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            raise self._unreachable(exc) from exc

    def _once(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        max_bytes: int,
    ) -> Reply:
        connection = self._open(deadline)
        connection.request(method, target, body=body, headers=dict(headers))
        _arm(connection, deadline)
        response = connection.getresponse()
        chunks, size = [], 0
        while True:
            _arm(connection, deadline)
            chunk = response.read1(_CHUNK_BYTES)
            if not chunk:
                break
            size += len(chunk)
            if size > max_bytes:
                self.close()
                raise LimitExceeded(f"{self._name} answered more than {max_bytes} bytes")
            chunks.append(chunk)
        left = response.length
        response.close()
        if left:
            raise http.client.IncompleteRead(b"", left)
        if response.will_close:
            self.close()
        return Reply(response.status, tuple(response.getheaders()), b"".join(chunks))

    def _open(self, deadline: float) -> http.client.HTTPConnection:
        if self._connection is None:
            left = max(0.1, deadline - time.monotonic())
            self._connection = (
                http.client.HTTPConnection(self.host, self.port, timeout=left)
                if self._context is None
                else http.client.HTTPSConnection(
                    self.host, self.port, timeout=left, context=self._context
                )
            )
        else:
            _arm(self._connection, deadline)
        return self._connection

    def _drop_if_closed(self) -> None:
        """Nothing is owed to us between requests: what can be read then is the end, or no answer."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unreachable(self, exc: Exception) -> Unreachable:
        return unreachable(f"{self._name} at {self.host}:{self.port}", exc)


def unreachable(where: str, exc: Exception) -> Unreachable:
    """A failure to connect or to be answered, in words, with the next move."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {where} is not trusted: {exc.verify_message}",
            hint="set DBGATE_CA_FILE to the PEM file of its certificate authority",
        )
    if isinstance(exc, TimeoutError):
        reason = "no answer in time"
    else:
        reason = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return Unreachable(f"{where} does not answer: {reason}", hint="dbgate doctor")


def _arm(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Give the socket what is left of the deadline. Raises TimeoutError when nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    if connection.sock is not None:
        connection.sock.settimeout(left)
