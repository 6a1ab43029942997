"""Authorization requests, checked before anybody sees a page (RFC 6749, 7636, 8252, 9700)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from dbgate_broker.dev.issuer.codes import Asked
from dbgate_broker.dev.people import CLIENT_ID

SCOPES: Final = ("openid", "profile", "email", "groups", "offline_access")
CALLBACK: Final = "/callback"
MAX_FIELDS: Final = 30
MAX_VALUE: Final = 2048
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class Untrusted(Exception):
    """The client or its redirect URI is wrong: say so on a page, never redirect."""


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The request is wrong: redirect with this error."""

    redirect_uri: str
    state: str
    error: str
    description: str


def parameters(text: str) -> dict[str, str]:
    """The parameters of a query or form. Raises ValueError for one that stands twice.

    (RFC 6749, section 3.1.) Also for more or longer ones than any client sends.
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS):
        if name in found or len(value) > MAX_VALUE:
            raise ValueError(f"parameter {name[:40]!r} stands twice or is too long")
        found[name] = value
    return found


def check(query: Mapping[str, str]) -> Asked:
    """Check an authorization request. Raises Untrusted or Refused.

    1. The client is dbgate.  2. The redirect URI is a loopback one (RFC 8252, section 7.3: the
    port is free, the rest is not).  3. `response_type=code`, answered in the query.  4. PKCE with
    S256, no other method.  5. `openid` is among the scopes; unknown ones are left out.
    """
    if query.get("client_id") != CLIENT_ID:
        raise Untrusted("the client is not known here")
    redirect_uri = query.get("redirect_uri", "")
    if not is_loopback(redirect_uri):
        raise Untrusted("the redirect URI is not http://127.0.0.1:PORT/callback")
    state = query.get("state", "")

    def refuse(error: str, description: str) -> Refused:
        return Refused(redirect_uri, state, error, description)

    if "request" in query or "request_uri" in query:
        raise refuse("request_not_supported", "no request objects")
    if query.get("response_type") != "code" or query.get("response_mode", "query") != "query":
        raise refuse("unsupported_response_type", "response_type is code, in the query")
    challenge = query.get("code_challenge", "")
    if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise refuse(
            "invalid_request", "code_challenge with code_challenge_method S256 is required"
        )
    scopes = known_scopes(query.get("scope", ""))
    if "openid" not in scopes:
        raise refuse("invalid_scope", "scope openid is required")
    return Asked(redirect_uri, scopes, state, query.get("nonce"), challenge)


def known_scopes(scope: str) -> frozenset[str]:
    """The scopes that are known here."""
    return frozenset(scope.split()) & frozenset(SCOPES)


def is_loopback(uri: str) -> bool:
    """Whether it is `http://127.0.0.1:PORT/callback`, or the same on `[::1]`."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    host = {"127.0.0.1": "127.0.0.1", "::1": "[::1]"}.get(parts.hostname or "")
    return bool(port) and uri == f"http://{host}:{port}{CALLBACK}"


def answer(redirect_uri: str, issuer: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The redirect URI with an answer, and `iss` against mix-up (RFC 9207)."""
    given = [(name, value) for name, value in pairs if value]
    return f"{redirect_uri}?{urlencode([*given, ('iss', issuer)])}"
