"""The issuer's side of a login: discovery, code exchange, refresh, device flow.

OpenID Connect Discovery 1.0; RFC 6749 (OAuth 2.0); RFC 7636 (PKCE); RFC 8628 (device flow);
RFC 9207 (issuer in the response).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from dbgate_cli.http import Channel, Reply
from dbgate_cli.tokens import bearer
from dbgate_core.errors import DbgateError, NotSignedIn, Unreachable, UsageError
from dbgate_core.secret import Secret

SCOPES: Final = ("openid", "profile", "email", "groups", "offline_access")
"""Wanted; those that the issuer says it does not know are left out."""
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SLOW_DOWN_S: Final = 5.0
"""RFC 8628, section 3.5: the interval grows by this at every `slow_down`."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave. The access token is not used and not kept."""

    id_token: Secret
    refresh_token: Secret | None


@dataclass(frozen=True, slots=True)
class Pkce:
    """A verifier and its S256 challenge (RFC 7636, section 4)."""

    verifier: Secret
    challenge: str

    @classmethod
    def make(cls) -> Pkce:
        """A fresh pair of 256 random bits."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        return cls(Secret(verifier), base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A running device authorization: what to show, and how to ask for its outcome."""

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    interval_s: float
    expires_in_s: float


class Issuer:
    """An OIDC issuer, through its discovery document."""

    def __init__(self, url: str, client_id: str, context: ssl.SSLContext) -> None:
        self.url = url
        self.client_id = client_id
        self.context = context
        found = self._json(self._get(url.rstrip("/") + "/.well-known/openid-configuration"))
        if found.get("issuer") != url:
            raise Unreachable(
                f"the issuer {url} calls itself {found.get('issuer')!r}",
                hint="the broker's configuration names another issuer than its discovery document",
            )
        self._document = found

    @property
    def answers_with_issuer(self) -> bool:
        """Whether every authorization response must carry `iss` (RFC 9207, section 3)."""
        return self._document.get("authorization_response_iss_parameter_supported") is True

    def endpoint(self, name: str) -> str:
        """An endpoint of the discovery document. Raises UsageError when the issuer has none."""
        value = self._document.get(name)
        if not isinstance(value, str):
            raise UsageError(f"the issuer {self.url} has no {name.replace('_', ' ')}")
        return value

    def scope(self) -> str:
        """The scopes to ask for, `openid` first."""
        known = self._document.get("scopes_supported")
        if not isinstance(known, list):
            return " ".join(SCOPES)
        return " ".join(scope for scope in SCOPES if scope == "openid" or scope in known)

    def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, challenge: str, login_hint: str = ""
    ) -> str:
        """The URL that a browser opens to sign in."""
        scope = self.scope()
        values = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if "offline_access" in scope:
            values["prompt"] = "consent"  # OpenID Connect Core 1.0, section 11: else it is ignored
        if login_hint:
            values["login_hint"] = login_hint
        endpoint = self.endpoint("authorization_endpoint")
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(values)

    def exchange(self, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        """Trade an authorization code for tokens. Raises NotSignedIn when it is refused."""
        return self._token(
            grant_type="authorization_code",
            code=code.expose(),
            code_verifier=verifier.expose(),
            redirect_uri=redirect_uri,
        )

    def refresh(self, token: Secret) -> Tokens:
        """Trade a refresh token for fresh tokens. Raises NotSignedIn when it is refused."""
        return self._token(grant_type="refresh_token", refresh_token=token.expose())

    def revoke(self, token: Secret) -> None:
        """Revoke a refresh token (RFC 7009), where the issuer can."""
        endpoint = self._document.get("revocation_endpoint")
        if isinstance(endpoint, str):
            values = {"token": token.expose(), "token_type_hint": "refresh_token"}
            self._post(endpoint, {"client_id": self.client_id, **values})

    def start_device(self) -> DeviceCode:
        """Begin a device authorization (RFC 8628, section 3.1)."""
        endpoint = self.endpoint("device_authorization_endpoint")
        reply = self._post(endpoint, {"client_id": self.client_id, "scope": self.scope()})
        found = self._json(reply)
        if reply.status != 200:
            raise _refused(found, reply.status)
        return DeviceCode(
            device_code=Secret(_text(found, "device_code")),
            user_code=_text(found, "user_code"),
            verification_uri=_text(found, "verification_uri"),
            verification_uri_complete=str(found.get("verification_uri_complete") or ""),
            interval_s=_number(found.get("interval"), 5.0),
            expires_in_s=_number(found.get("expires_in"), 600.0),
        )

    def await_device(
        self,
        device: DeviceCode,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Tokens:
        """Ask until the person has decided (RFC 8628, section 3.5).

        Raises NotSignedIn when they said no or the code has expired.
        """
        interval, deadline = device.interval_s, clock() + device.expires_in_s
        values = {
            "grant_type": DEVICE_GRANT,
            "device_code": device.device_code.expose(),
            "client_id": self.client_id,
        }
        while True:
            sleep(interval)
            if clock() > deadline:
                raise NotSignedIn("the device code has expired", hint="dbgate login --device")
            reply = self._post(self.endpoint("token_endpoint"), values)
            found = self._json(reply)
            if reply.status == 200:
                return _tokens(found)
            if found.get("error") == "slow_down":
                interval += SLOW_DOWN_S
            elif found.get("error") != "authorization_pending":
                raise _refused(found, reply.status)

    def _token(self, **values: str) -> Tokens:
        reply = self._post(self.endpoint("token_endpoint"), {"client_id": self.client_id, **values})
        found = self._json(reply)
        if reply.status != 200:
            raise _refused(found, reply.status)
        return _tokens(found)

    def _get(self, url: str) -> Reply:
        return self._send("GET", url, None)

    def _post(self, url: str, values: Mapping[str, str]) -> Reply:
        return self._send("POST", url, urlencode(values).encode())

    def _send(self, method: str, url: str, body: bytes | None) -> Reply:
        origin, target = split_url(url)
        channel = Channel(origin, self.context, name="the issuer")
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return channel.send(method, target, headers=headers, body=body, max_bytes=1 << 20)
        finally:
            channel.close()

    def _json(self, reply: Reply) -> Mapping[str, object]:
        try:
            value = json.loads(reply.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Unreachable(
                f"the issuer {self.url} answered with status {reply.status} and no JSON object",
                hint="dbgate doctor",
            )
        return value


def split_url(url: str) -> tuple[str, str]:
    """Cut a URL into its origin and its path with query."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{parts.netloc}", target


def _tokens(found: Mapping[str, object]) -> Tokens:
    refresh = found.get("refresh_token")
    return Tokens(
        bearer(_text(found, "id_token"), "the issuer's answer"),
        Secret(refresh) if isinstance(refresh, str) and refresh else None,
    )


def _refused(found: Mapping[str, object], status: int) -> DbgateError:
    error = str(found.get("error") or f"HTTP status {status}")
    text = str(found.get("error_description") or "")
    if status >= 500:
        return Unreachable(f"the issuer failed: {error} {text}".rstrip(), hint="dbgate doctor")
    return NotSignedIn(
        f"the issuer refused: {error}" + (f" ({text})" if text else ""), hint="dbgate login"
    )


def _text(found: Mapping[str, object], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise Unreachable(f"the issuer's answer has no {key}", hint="dbgate doctor")
    return value


def _number(value: object, default: float) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if good and isinstance(value, int | float) else default
