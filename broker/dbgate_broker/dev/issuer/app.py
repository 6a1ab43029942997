"""The issuer's HTTP side: discovery, sign-in, device page, tokens.

OpenID Connect Core and Discovery 1.0; RFC 6749, 7009, 7636, 8252, 8628, 9207. One public client,
`dbgate`; there is no client secret to keep.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dbgate_broker.dev.issuer import asking, pages
from dbgate_broker.dev.issuer.codes import (
    DEVICE_S,
    Asked,
    CodeRefused,
    Codes,
    Device,
    Devices,
    DeviceState,
)
from dbgate_broker.dev.issuer.refresh import RefreshTokens
from dbgate_broker.dev.issuer.tokens import ALGORITHM, ID_TOKEN_S, Signer
from dbgate_broker.dev.people import CLIENT_ID, person

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
MAX_BODY_BYTES: Final = 16 * 1024
MAX_TICKETS: Final = 500
PAGE_S: Final = 600.0
NO_STORE: Final = {"Cache-Control": "no-store"}


class TokenError(Exception):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class Tickets:
    """What a page's form refers to: unguessable, used once, good for ten minutes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Asked | Device]] = {}

    def give(self, subject: Asked | Device, now: float) -> str:
        """A ticket for a form."""
        ticket = secrets.token_urlsafe(24)
        while len(self._kept) >= MAX_TICKETS:
            del self._kept[next(iter(self._kept))]
        self._kept[ticket] = (now + PAGE_S, subject)
        return ticket

    def take(self, ticket: str, now: float) -> Asked | Device | None:
        """What it was given for, once."""
        expires_at, subject = self._kept.pop(ticket, (0.0, None))
        return subject if now < expires_at else None


class IssuerApp:
    """The routes over their state. `clock` gives Unix time."""

    def __init__(
        self, signer: Signer, state_file: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._signer = signer
        self._url = signer.url
        self._host = urlsplit(signer.url).netloc
        self._clock = clock
        self._codes = Codes()
        self._devices = Devices()
        self._refresh = RefreshTokens(state_file)
        self._tickets = Tickets()
        self._grants: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            DEVICE_GRANT: self._by_device_code,
        }

    def build(self) -> Starlette:
        """The ASGI application."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "/.well-known/openid-configuration", self.discovery),
            ("GET", "/jwks", self.jwks),
            ("GET", "/authorize", self.authorize),
            ("POST", "/authorize", self.choose),
            ("POST", "/token", self.token),
            ("POST", "/revoke", self.revoke),
            ("POST", "/device/code", self.device_code),
            ("GET", "/device", self.device),
            ("POST", "/device", self.decide_device),
        ]
        return Starlette(
            routes=[Route(path, self._guarded(do), methods=[verb]) for verb, path, do in table]
        )

    def _guarded(
        self, do: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Only as ourselves: another Host is DNS rebinding, another Origin another site's form."""

        async def guarded(request: Request) -> Response:
            origin = request.headers.get("origin", self._url)
            if request.headers.get("host") != self._host or origin not in (self._url, "null"):
                return pages.message(
                    "Not here", "This issuer answers at its own address only.", 421
                )
            if request.method == "POST" and origin == "null" and request.url.path != "/token":
                return pages.message("Not here", "The form came from nowhere.", 403)
            return await do(request)

        return guarded

    async def discovery(self, request: Request) -> Response:
        """The discovery document."""
        return JSONResponse(
            {
                "issuer": self._url,
                "authorization_endpoint": f"{self._url}/authorize",
                "token_endpoint": f"{self._url}/token",
                "jwks_uri": f"{self._url}/jwks",
                "revocation_endpoint": f"{self._url}/revoke",
                "device_authorization_endpoint": f"{self._url}/device/code",
                "scopes_supported": list(asking.SCOPES),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": list(self._grants),
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "token_endpoint_auth_methods_supported": ["none"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def jwks(self, request: Request) -> Response:
        """The public keys."""
        return JSONResponse(self._signer.public_keys())

    async def authorize(self, request: Request) -> Response:
        """Begin a sign-in: by name with a `login_hint`, else on a page with everybody's name."""
        try:
            query = asking.parameters(request.url.query)
            asked = asking.check(query)
        except (ValueError, asking.Untrusted) as exc:
            return pages.message("This cannot go on", str(exc), 400)
        except asking.Refused as refused:
            return self._refuse(
                refused.redirect_uri, refused.state, refused.error, refused.description
            )
        hint, prompts = query.get("login_hint", ""), query.get("prompt", "").split()
        if hint and "select_account" not in prompts:
            return self._sign_in(asked, hint)
        if "none" in prompts:
            return self._refuse(asked.redirect_uri, asked.state, "login_required", "nobody is here")
        return pages.choose_person("/authorize", self._tickets.give(asked, self._clock()))

    async def choose(self, request: Request) -> Response:
        """Somebody's button was pressed."""
        form = await _form(request)
        asked = self._tickets.take(form.get("ticket", ""), self._clock())
        if not isinstance(asked, Asked):
            return pages.message("This page has expired", "Begin again with dbgate login.", 400)
        return self._sign_in(asked, form.get("person", ""))

    def _sign_in(self, asked: Asked, name: str) -> Response:
        if person(name) is None:
            return self._refuse(
                asked.redirect_uri,
                asked.state,
                "access_denied",
                f"nobody here is called {name[:40]}",
            )
        code = self._codes.issue(asked, name, self._clock())
        pairs = [("code", code), ("state", asked.state)]
        return _redirect(asking.answer(asked.redirect_uri, self._url, pairs))

    def _refuse(self, redirect_uri: str, state: str, error: str, description: str) -> Response:
        pairs = [("error", error), ("error_description", description), ("state", state)]
        return _redirect(asking.answer(redirect_uri, self._url, pairs))

    async def token(self, request: Request) -> Response:
        """Trade a code, a refresh token or a device code for tokens."""
        try:
            if "authorization" in request.headers:
                raise TokenError("invalid_client", "a public client has no secret")
            form = await _form(request)
            if form.get("client_id") != CLIENT_ID:
                raise TokenError("invalid_client", "the client is not known here")
            grant = self._grants.get(form.get("grant_type", ""))
            if grant is None:
                raise TokenError("unsupported_grant_type")
            return JSONResponse(grant(form), headers=NO_STORE)
        except TokenError as exc:
            body = {"error": exc.error, "error_description": exc.description}
            status = 401 if exc.error == "invalid_client" else 400
            return JSONResponse(body, status, headers=NO_STORE)

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        now = self._clock()
        try:
            found = self._codes.redeem(
                form.get("code", ""),
                form.get("redirect_uri", ""),
                form.get("code_verifier", ""),
                now,
            )
        except CodeRefused as exc:
            if exc.family:
                self._refresh.revoke_family(exc.family)
            raise TokenError("invalid_grant", str(exc)) from exc
        asked = found.asked
        refresh = self._first_refresh(found.family, found.person, asked.scopes, now)
        return self._tokens(found.person, asked.scopes, refresh, nonce=asked.nonce)

    def _by_refresh_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        rotated = self._refresh.rotate(form.get("refresh_token", ""), self._clock())
        if rotated is None:
            raise TokenError("invalid_grant", "the refresh token is unknown, expired or was used")
        fresh, family = rotated
        return self._tokens(family.person, frozenset(family.scopes), fresh, nonce=None)

    def _by_device_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        now = self._clock()
        state, device = self._devices.poll(form.get("device_code", ""), now)
        if state is not DeviceState.APPROVED or device is None:
            raise TokenError(state.value)
        family = secrets.token_urlsafe(16)
        refresh = self._first_refresh(family, device.person, device.scopes, now)
        return self._tokens(device.person, device.scopes, refresh, nonce=None)

    def _first_refresh(
        self, family: str, name: str, scopes: frozenset[str], now: float
    ) -> str | None:
        if "offline_access" not in scopes:
            return None
        return self._refresh.begin(family, name, scopes, now)

    def _tokens(
        self, name: str, scopes: frozenset[str], refresh: str | None, *, nonce: str | None
    ) -> dict[str, Any]:
        identity = person(name)
        if identity is None:
            raise TokenError("invalid_grant", "nobody here has this name any more")
        token = self._signer.id_token(identity, self._clock(), scopes, nonce=nonce)
        answer: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(32),  # opens nothing: there is no userinfo here
            "token_type": "Bearer",
            "expires_in": ID_TOKEN_S,
            "id_token": token.expose(),
            "scope": " ".join(sorted(scopes)),
        }
        return answer | ({"refresh_token": refresh} if refresh else {})

    async def revoke(self, request: Request) -> Response:
        """End a login (RFC 7009); unknown tokens are no error."""
        form = await _form(request)
        if form.get("client_id") != CLIENT_ID:
            return JSONResponse({"error": "invalid_client"}, 401, headers=NO_STORE)
        self._refresh.revoke(form.get("token", ""))
        return Response(status_code=200, headers=NO_STORE)

    async def device_code(self, request: Request) -> Response:
        """Begin a device authorization (RFC 8628, section 3.2)."""
        form = await _form(request)
        scopes = asking.known_scopes(form.get("scope", ""))
        if form.get("client_id") != CLIENT_ID or "openid" not in scopes:
            error = "invalid_scope" if form.get("client_id") == CLIENT_ID else "invalid_client"
            return JSONResponse({"error": error}, 400, headers=NO_STORE)
        device_code, device = self._devices.begin(scopes, self._clock())
        page = f"{self._url}/device"
        answer = {
            "device_code": device_code,
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={device.user_code}",
            "expires_in": int(DEVICE_S),
            "interval": int(device.interval_s),
        }
        return JSONResponse(answer, headers=NO_STORE)

    async def device(self, request: Request) -> Response:
        """The page where a user code is typed, and then confirmed."""
        typed = request.query_params.get("user_code", "")[:40]
        if not typed:
            return pages.enter_code()
        device = self._devices.by_user_code(typed, self._clock())
        if device is None:
            return pages.enter_code("No device waits for this code.")
        return pages.confirm_device(device.user_code, self._tickets.give(device, self._clock()))

    async def decide_device(self, request: Request) -> Response:
        """Somebody signed the device in, or refused it."""
        form = await _form(request)
        device = self._tickets.take(form.get("ticket", ""), self._clock())
        if not isinstance(device, Device) or device.person or device.denied:
            return pages.message("This page has expired", "Enter the code again.", 400)
        name = form.get("person", "")
        if person(name) is None:
            device.denied = True
            return pages.message("Refused", "The device is not signed in.")
        device.person = name
        return pages.message("Signed in", f"The device is signed in as {name}. Go back to it.")


async def _form(request: Request) -> dict[str, str]:
    """An urlencoded body; empty for anything else, too large, or with a parameter twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return {}
    try:
        return asking.parameters(body.decode())
    except ValueError:
        return {}


def _redirect(url: str) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(url, 303, headers)
