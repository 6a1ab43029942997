"""Signing in: a browser and a loopback redirect, a code on another device, or a refresh."""

from __future__ import annotations

import hmac
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Final
from urllib.parse import parse_qs, urljoin, urlsplit

from dbgate_cli import console
from dbgate_cli.http import LOOPBACK, Channel, tls_context
from dbgate_cli.oidc import Issuer, Pkce, Tokens, split_url
from dbgate_cli.settings import Settings
from dbgate_cli.token_store import Login
from dbgate_cli.tokens import check
from dbgate_core.contract import Discovery
from dbgate_core.errors import NotSignedIn, UsageError
from dbgate_core.secret import Secret

BROWSER_TIMEOUT_S: Final = 300.0
MAX_REDIRECTS: Final = 12
PATH: Final = "/callback"
DONE: Final = (
    b"<!doctype html><title>dbgate</title><p>You are signed in. You may close this window."
)
WRONG: Final = b"<!doctype html><title>dbgate</title><p>This is not the answer dbgate waits for."

Answer = dict[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One authorization request: the values that its answer and its ID token must bring back."""

    redirect_uri: str
    state: str
    nonce: str
    pkce: Pkce

    @classmethod
    def make(cls, redirect_uri: str) -> Attempt:
        """Fresh random values for a redirect URI."""
        return cls(redirect_uri, secrets.token_urlsafe(24), secrets.token_urlsafe(24), Pkce.make())

    def url(self, issuer: Issuer, login_hint: str = "") -> str:
        """Where to send the browser."""
        return issuer.authorization_url(
            redirect_uri=self.redirect_uri,
            state=self.state,
            nonce=self.nonce,
            challenge=self.pkce.challenge,
            login_hint=login_hint,
        )


def issuer_of(settings: Settings, discovery: Discovery) -> Issuer:
    """The issuer that the broker trusts, with the system's authorities and `ca_file`."""
    context = tls_context(settings.ca_file, system=True)
    return Issuer(discovery.issuer, discovery.client_id, context)


def with_browser(issuer: Issuer, opener: Callable[[str], bool] | None = None) -> Login:
    """Sign in by authorization code with PKCE over a loopback redirect (RFC 8252, section 7.3)."""
    with Loopback() as loopback:
        attempt = Attempt.make(loopback.redirect_uri)
        url = attempt.url(issuer)
        opened = (opener or open_browser)(url)
        console.note("sign in in the browser" if opened else "open this address to sign in:")
        console.note(url)
        answer = loopback.wait(attempt.state, BROWSER_TIMEOUT_S)
    return finish(issuer, attempt, answer)


def as_person(issuer: Issuer, name: str) -> Login:
    """Sign in by name at developer mode's issuer: the same flow, its redirects followed here."""
    attempt = Attempt.make(f"http://127.0.0.1:{secrets.randbelow(20000) + 20000}{PATH}")
    answer = _follow(issuer, attempt, name)
    return finish(issuer, attempt, answer)


def with_device(issuer: Issuer, sleep: Callable[[float], None] = time.sleep) -> Login:
    """Sign in with a code that is typed on another device (RFC 8628)."""
    device = issuer.start_device()
    console.note(f"open {device.verification_uri} on any device and enter the code")
    console.note(f"    {device.user_code}")
    if device.verification_uri_complete:
        console.note(f"or open {device.verification_uri_complete}")
    return _login(issuer, issuer.await_device(device, sleep=sleep), nonce=None)


def refreshed(issuer: Issuer, login: Login) -> Login:
    """Trade the refresh token. Raises NotSignedIn when there is none or it is refused."""
    if login.refresh_token is None:
        raise NotSignedIn("the login has expired", hint="dbgate login")
    tokens = issuer.refresh(login.refresh_token)
    if tokens.refresh_token is None:  # RFC 6749, section 6: the old one stays good
        tokens = Tokens(tokens.id_token, login.refresh_token)
    return _login(issuer, tokens, nonce=None)


def finish(issuer: Issuer, attempt: Attempt, answer: Answer) -> Login:
    """Check an authorization answer, then trade its code.

    1. The state is ours.  2. The `iss`, when it is there or promised, is the issuer (RFC 9207:
    against mix-up).  3. There is no error.  4. The code is traded with the PKCE verifier.
    5. The claims of the ID token are checked, its nonce too.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise NotSignedIn("the answer's state is not the one that was sent", hint="dbgate login")
    if ("iss" in answer or issuer.answers_with_issuer) and answer.get("iss") != issuer.url:
        raise NotSignedIn(
            f"the answer comes from {answer.get('iss')!r}, not from {issuer.url!r}",
            hint="dbgate login",
        )
    if "code" not in answer:
        reason = answer.get("error_description") or answer.get("error") or "no code"
        raise NotSignedIn(f"the issuer refused: {reason}", hint="dbgate login")
    tokens = issuer.exchange(Secret(answer["code"]), attempt.pkce.verifier, attempt.redirect_uri)
    return _login(issuer, tokens, nonce=attempt.nonce)


def _login(issuer: Issuer, tokens: Tokens, *, nonce: str | None) -> Login:
    check(
        tokens.id_token,
        issuer=issuer.url,
        client_id=issuer.client_id,
        nonce=nonce,
        now=time.time(),
    )
    return Login(issuer.url, issuer.client_id, tokens.id_token, tokens.refresh_token)


class Loopback:
    """An HTTP server on a free loopback port that waits for one authorization answer."""

    def __init__(self) -> None:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            timeout: ClassVar[float | None] = 10.0

            def do_GET(self) -> None:
                loopback._take(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the request line holds the code."""

        # Threads, since browsers open connections ahead and say nothing on them.
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._answered = threading.Event()
        self._state = ""
        self._answer: Answer | None = None
        self.redirect_uri = f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def wait(self, state: str, timeout_s: float) -> Answer:
        """Give the answer that carries `state`; others are refused and waited past."""
        self._state = state
        self._thread.start()
        if not self._answered.wait(timeout_s) or self._answer is None:
            raise NotSignedIn(
                "nobody signed in within five minutes",
                hint="on a machine without a browser: dbgate login --device",
            )
        return self._answer

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        answer = _flat(parts.query)
        mine = parts.path == PATH and hmac.compare_digest(
            answer.get("state", "").encode(), self._state.encode()
        )
        body = DONE if mine else WRONG
        request.send_response(200 if mine else 400)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Connection", "close")
        request.send_header("Referrer-Policy", "no-referrer")
        request.end_headers()
        request.wfile.write(body)
        if mine and self._answer is None:
            self._answer = answer
            self._answered.set()


def open_browser(url: str) -> bool:
    """Open a browser where there is one to see; whether it was done."""
    graphical = any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    if not graphical and sys.platform != "darwin":
        return False
    import webbrowser

    # In a thread: some browsers end only when their window is closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    return True


def _follow(issuer: Issuer, attempt: Attempt, name: str) -> Answer:
    """Follow the issuer's redirects, with its cookies, until one leads to our redirect URI."""
    url, cookies = attempt.url(issuer, login_hint=name), dict[str, str]()
    home = split_url(url)[0]
    for _ in range(MAX_REDIRECTS):
        origin, target = split_url(url)
        if origin != home or urlsplit(origin).hostname not in LOOPBACK:
            break
        channel = Channel(origin, issuer.context, name="the issuer")
        sent = "; ".join(f"{key}={value}" for key, value in cookies.items())
        reply = channel.send("GET", target, headers={"Cookie": sent} if sent else {})
        channel.close()
        for key, value in reply.headers:
            if key.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                cookies[cookie] = content
        if reply.status not in (302, 303):
            break
        url = urljoin(url, reply.header("Location"))
        if url.startswith(attempt.redirect_uri + "?"):
            return _flat(urlsplit(url).query)
    raise UsageError(
        f"the issuer {issuer.url} does not sign in {name!r} by name",
        hint="--as is for developer mode; use dbgate login",
    )


def _flat(query: str) -> Answer:
    """The parameters of a query; one that stands twice is left out (RFC 6749, section 3.1)."""
    found = parse_qs(query, max_num_fields=20, keep_blank_values=True)
    return {key: values[0] for key, values in found.items() if len(values) == 1}
