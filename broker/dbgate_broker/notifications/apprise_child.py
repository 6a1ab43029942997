"""The process that sends one notification by Apprise: JSON on stdin, the outcome as exit code, not a word more."""

from __future__ import annotations

import json
import os
import sys
from enum import IntEnum
from typing import Any, Final

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
KINDNESS: Final = 10
"""Of the scheduler's nice: statements come first."""


class Code(IntEnum):
    """How the child ends. Anything else is a crash."""

    DONE = 0
    NOT_TAKEN = 3
    NO_URL = 4
    CLEAR = 5


def run(asked: dict[str, str]) -> Code:
    """Send `title` and `body` to `url`, or without a body only look at the URL."""
    from apprise import Apprise, AppriseAsset, NotifyFormat

    asset = AppriseAsset(app_id="dbgate", app_desc="dbgate", http_redirects=False)
    service = Apprise.instantiate(asked["url"], asset=asset)
    if service is None:
        return Code.NO_URL
    if in_clear(service, asked["url"]):
        return Code.CLEAR
    if "body" not in asked:
        return Code.DONE
    taken = service.notify(title=asked["title"], body=asked["body"], body_format=NotifyFormat.TEXT)
    return Code.DONE if taken else Code.NOT_TAKEN


def in_clear(service: Any, url: str) -> bool:
    """Does its scheme stand for the service without TLS, on another machine."""
    scheme = url.partition("://")[0].lower()
    plain = service.protocol or ()
    names = (plain,) if isinstance(plain, str) else plain
    host = (getattr(service, "host", None) or "").strip("[]").lower()
    return scheme in names and bool(host) and host not in LOOPBACK


if __name__ == "__main__":
    os.nice(KINDNESS)
    sys.exit(run(json.load(sys.stdin)))
