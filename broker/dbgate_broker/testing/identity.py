"""Doubles of sign-in: an OIDC issuer on loopback that signs what a test wants, and one without keys."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import JWKRegistry, OctKey

from dbgate_broker.identity.authenticator import Identity
from dbgate_broker.identity.jwks import ALGORITHMS, Key
from dbgate_broker.identity.token import refusal
from dbgate_core.principal import Principal
from dbgate_core.secret import Secret

AUDIENCE: Final = "dbgate"


def make_key(alg: str, kid: str) -> Key:
    """A new key pair for an algorithm."""
    kty, curve = ALGORITHMS[alg]
    key = JWKRegistry.generate_key(kty, curve or 2048, {"kid": kid, "use": "sig", "alg": alg})
    assert not isinstance(key, OctKey)  # noqa: S101  # no algorithm of ours takes one
    return key


def sign(header: Mapping[str, object], payload: Mapping[str, object] | bytes, key: Key) -> str:
    """A compact JWS of exactly that header and payload."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    registry = jws.JWSRegistry(algorithms=[str(header["alg"])], strict_check_header=False)
    return jws.serialize_compact(dict(header), text, key, registry=registry)


class Signer:
    """The keys of an issuer, and tokens made with them. No server: `documents` is what it would say.

    `keys` are published; the last one signs, unless told otherwise.
    """

    def __init__(
        self,
        url: str = "https://issuer.test",
        algs: tuple[str, ...] = ("ES256",),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.clock = clock
        self.keys = [make_key(alg, f"key-{number}") for number, alg in enumerate(algs)]
        self.discovery: dict[str, Any] = {"issuer": url, "jwks_uri": f"{url}/jwks"}

    def key_set(self) -> dict[str, Any]:
        """The published keys."""
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def rotate(self, *, keep: bool = False) -> None:
        """Sign by a new key from now on; the old ones stay published only with `keep`."""
        alg = str(self.keys[-1].as_dict(private=False)["alg"])
        fresh = make_key(alg, f"key-{len(self.keys)}-{self.clock()}")
        self.keys = [*(self.keys if keep else []), fresh]

    def claims(self, name: str = "alice", **changes: object) -> dict[str, object]:
        """The claims of a good ID token, with changes; a claim changed to None is left out."""
        now = int(self.clock())
        good = {
            "iss": self.url, "aud": AUDIENCE, "sub": f"id-{name}", "preferred_username": name,
            "email": f"{name}@example.com", "groups": ["developers"], "iat": now, "exp": now + 3600,
        }  # fmt: skip
        return {key: value for key, value in (good | changes).items() if value is not None}

    def token(self, name: str = "alice", **changes: object) -> str:
        """A signed ID token."""
        return self.signed(self.claims(name, **changes))

    def signed(
        self,
        payload: Mapping[str, object] | bytes,
        header: Mapping[str, object] | None = None,
        key: Key | None = None,
    ) -> str:
        """A token of any payload, with additions to its header, by any key."""
        by = key or self.keys[-1]
        said = by.as_dict(private=False)
        return sign({"alg": said["alg"], "kid": said["kid"], "typ": "JWT", **(header or {})},
                    payload, by)  # fmt: skip


class LocalIssuer(Signer):
    """A `Signer` behind HTTP on loopback, in a thread; over TLS with `tls`. `stop()` at the end.

    `status` other than 200 is its answer to everything; `gate`, while cleared, holds answers back;
    `asked` are the paths asked for; `extra` headers go out with every answer.
    """

    def __init__(
        self, algs: tuple[str, ...] = ("ES256",), tls: ssl.SSLContext | None = None
    ) -> None:
        self.status = 200
        self.asked: list[str] = []
        self.extra: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        super().__init__(f"{scheme}://127.0.0.1:{self._server.server_port}", algs)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answer(self, path: str) -> bytes:
        """The body for a path."""
        self.asked.append(path)
        self.gate.wait(30)
        known = {"/.well-known/openid-configuration": self.discovery, "/jwks": self.key_set()}
        return json.dumps(known.get(path, {})).encode()

    def stop(self) -> None:
        """End the server; nobody answers at its port then. Once is enough, twice is allowed."""
        self.gate.set()
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(issuer: LocalIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = issuer.answer(self.path)
            self.send_response(issuer.status)
            for name, value in {"Content-Length": str(len(body)), **issuer.extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class TokenBook:
    """An `Authenticator` that knows its tokens by heart, for tests of what lies behind sign-in."""

    def __init__(self) -> None:
        self.known: dict[str, Principal] = {}
        self.down: Exception | None = None

    async def verify(self, bearer: Secret | str) -> Identity:
        """Whom the token stands for, for an hour. Raises `down` when set, NotSignedIn else."""
        text = bearer.expose() if isinstance(bearer, Secret) else bearer
        if self.down is not None:
            raise self.down
        if text not in self.known:
            raise refusal("the token's signature does not verify")
        return Identity(self.known[text], datetime.now(UTC) + timedelta(hours=1))

    async def principal(self, bearer: Secret | str) -> Principal:
        """Whom the token stands for. Raises as `verify`."""
        return (await self.verify(bearer)).principal
