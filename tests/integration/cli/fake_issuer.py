"""An OIDC issuer for the command line's tests; it checks what the command line must send."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT = "dbgate"


class FakeIssuer:
    """Code flow with PKCE, device flow, rotating refresh tokens; `twist` bends its answers."""

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh: set[str] = set()
        self.used: set[str] = set()
        self.device_answers: list[str] = []
        self.revoked: list[str] = []
        self.requests: list[dict[str, str]] = []
        self.claims: dict[str, Any] = {}
        self.answer: dict[str, str] = {}
        self.document_extra: dict[str, Any] = {}
        self.lifetime_s = 3600
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "device_authorization_endpoint": f"{self.url}/device",
            "revocation_endpoint": f"{self.url}/revoke",
            "scopes_supported": ["openid", "profile", "offline_access"],
            "authorization_response_iss_parameter_supported": True,
        } | self.document_extra

    def authorize(self, query: dict[str, str]) -> str:
        """Sign the hinted person in at once; give where to send the browser."""
        self.requests.append(query)
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        values = {"code": code, "state": query["state"], "iss": self.url} | self.answer
        return f"{query['redirect_uri']}?{urlencode({k: v for k, v in values.items() if v})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint."""
        match form["grant_type"]:
            case "authorization_code":
                asked = self.codes.pop(form["code"], None)
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                if (
                    asked is None
                    or asked["code_challenge"] != challenge
                    or asked["code_challenge_method"] != "S256"
                    or asked["redirect_uri"] != form["redirect_uri"]
                ):
                    return 400, {"error": "invalid_grant"}
                return 200, self._tokens(asked.get("login_hint", "alice"), asked["nonce"])
            case "refresh_token":
                token = form["refresh_token"]
                if token not in self.refresh:
                    return 400, {"error": "invalid_grant", "error_description": "used or unknown"}
                self.refresh.remove(token)
                self.used.add(token)
                return 200, self._tokens("alice", None)
            case _:
                answer = self.device_answers.pop(0)
                if answer != "ok":
                    return 400, {"error": answer}
                return 200, self._tokens("alice", None)

    def _tokens(self, name: str, nonce: str | None) -> dict[str, Any]:
        refresh = f"refresh-{secrets.token_urlsafe(16)}"
        self.refresh.add(refresh)
        return {"id_token": self.id_token(name, nonce), "refresh_token": refresh}

    def id_token(self, name: str, nonce: str | None) -> str:
        """A token in the shape of a JWT; nobody here verifies its signature."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": f"id-{name}",
            "preferred_username": name,
            "iat": now,
            "exp": now + self.lifetime_s,
            "jti": secrets.token_urlsafe(6),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        parts = ({"alg": "ES256"}, claims | self.claims)
        return ".".join([*(_b64(json.dumps(part).encode()) for part in parts), _b64(b"signature")])


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _handler(issuer: FakeIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self._json(200, issuer.document())
            elif parts.path == "/authorize" and not self.headers.get("Cookie"):
                self.send_response(302)
                self.send_header("Set-Cookie", "seen=1; HttpOnly; Path=/")
                self.send_header("Location", self.path)
                self.end_headers()
            elif parts.path == "/authorize":
                self.send_response(303)
                self.send_header("Location", issuer.authorize(query))
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            if self.path == "/token":
                self._json(*issuer.token(form))
            elif self.path == "/revoke":
                issuer.revoked.append(form["token"])
                self._json(200, {})
            else:
                self._json(
                    200,
                    {
                        "device_code": "device-code-secret",
                        "user_code": "ABCD-EFGH",
                        "verification_uri": f"{issuer.url}/activate",
                        "interval": 0,
                        "expires_in": 60,
                    },
                )

        def _json(self, status: int, value: object) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
