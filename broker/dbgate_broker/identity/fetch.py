"""One bounded GET to an issuer, with one deadline for all of it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, Protocol

import h11

from dbgate_broker.https import exchange, split
from dbgate_core.errors import Unreachable, UsageError

DEADLINE_S: Final = 5.0


class Fetch(Protocol):
    """How documents of an issuer are had."""

    async def __call__(self, url: str) -> bytes:
        """The body of a 200. Raises Unreachable."""


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
                status, body = await exchange(parts, self._tls)
        except TimeoutError as exc:
            raise _unreachable(url, f"no answer within {self._deadline_s:g} s") from exc
        except ssl.SSLCertVerificationError as exc:
            raise _unreachable(url, f"its certificate: {exc.verify_message}") from exc
        except h11.RemoteProtocolError as exc:
            raise _unreachable(url, "its answer is no HTTP, too long or cut off") from exc
        except (OSError, UnicodeError) as exc:
            raise _unreachable(url, str(exc) or type(exc).__name__) from exc
        if status != 200:
            raise _unreachable(url, f"HTTP status {status}")
        return body


def _unreachable(url: str, reason: str) -> Unreachable:
    return Unreachable(
        f"the issuer does not give its keys: {url}: {reason}",
        hint="is the issuer up, and its `ca_file` in the broker's configuration right?",
        code="auth.issuer_unreachable",
    )
