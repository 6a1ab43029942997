"""Our own webhook: a signed POST of JSON over TLS; redirects are refused, not followed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import h11
import msgspec

from dbgate_broker.files import read_or_make
from dbgate_broker.https import exchange, split
from dbgate_broker.notifications.carrier import NotTaken
from dbgate_broker.notifications.events import Notification
from dbgate_broker.notifications.signing import key_of, new_key, signed
from dbgate_core.errors import UsageError
from dbgate_core.secret import Secret

LATER: Final = frozenset({408, 425, 429})
"""Refusals that are none: the same may be taken later."""


class Webhook:
    """`carrier.Carrier`."""

    def __init__(
        self,
        url: str,
        secret_file: Path,
        ca_file: Path | None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """The secret is made, mode 0600, when its file is missing. Raises UsageError."""
        self._parts = split(url)
        self._key = _key(secret_file)
        self._clock_s = clock_s
        try:
            self._tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except (OSError, ssl.SSLError) as exc:
            raise UsageError(f"cannot read the webhook's CA file {ca_file}: {exc}") from exc

    def check(self) -> None:
        """There is no more to look at."""

    async def send(self, one: Notification) -> None:
        """On return the answer was 2xx. Raises NotTaken."""
        body = payload(one)
        headers = [("Content-Type", "application/json")]
        headers += signed(self._key, one.id, int(self._clock_s()), body)
        try:
            status, _ = await exchange(
                self._parts, self._tls, "POST", headers, body, only_status=True
            )
        except ssl.SSLCertVerificationError as exc:
            raise NotTaken(f"its certificate: {exc.verify_message}") from exc
        except (OSError, UnicodeError, h11.RemoteProtocolError) as exc:
            raise NotTaken(f"it cannot be reached: {type(exc).__name__}") from exc
        if 300 <= status < 400:
            raise NotTaken(f"a redirect (HTTP status {status}), which is not followed", again=False)
        if not 200 <= status < 300:
            raise NotTaken(f"HTTP status {status}", again=status >= 500 or status in LATER)


def payload(one: Notification) -> bytes:
    """What is sent, in the shape that the Standard Webhooks specification recommends."""
    data: Mapping[str, object] = {**one.data, "title": one.title, "text": "\n".join(one.lines)}
    sent = {"type": one.event, "timestamp": one.at.isoformat(), "data": data}
    return msgspec.json.encode(sent)


def _key(file: Path) -> Secret:
    try:
        return key_of(read_or_make(file, lambda: f"{new_key()}\n".encode()).decode())
    except ValueError as exc:
        raise UsageError(
            f"the webhook's secret {file} {_why(exc)}", hint="whsec_ and base64 of 24 to 64 bytes"
        ) from None


def _why(exc: ValueError) -> str:
    """Without what the file holds."""
    return "is no text" if isinstance(exc, UnicodeDecodeError) else str(exc)
