"""Sign-in against issuers on real sockets: over TLS and without, down, slow, huge and misleading."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dbgate_broker.config import IssuerConfig
from dbgate_broker.https import MAX_BODY_BYTES, split
from dbgate_broker.identity import Authenticator
from dbgate_broker.identity.fetch import HttpFetch
from dbgate_broker.testing.identity import AUDIENCE, LocalIssuer, Signer
from dbgate_core.errors import NotSignedIn, Unreachable, UsageError
from dbgate_core.secret import Secret
from tests.integration.cli import authority

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    running = LocalIssuer(("RS256", "ES256"))
    yield running
    running.stop()


def trusting(issuer: Signer, **config: Any) -> Authenticator:
    return Authenticator([IssuerConfig(url=issuer.url, audience=AUDIENCE, **config)])


def test_a_token_is_verified_with_the_keys_that_its_issuer_publishes(issuer: LocalIssuer) -> None:
    authenticator = trusting(issuer)
    assert run(authenticator.principal(Secret(issuer.token()))).name == "alice"
    assert issuer.asked == ["/.well-known/openid-configuration", "/jwks"]
    stranger = Signer(issuer.url)
    with pytest.raises(NotSignedIn, match=r"signature|publish"):
        run(authenticator.principal(stranger.token()))


def test_an_issuer_with_a_path_is_found_below_it(issuer: LocalIssuer) -> None:
    issuer.url += "/realms/shop/"
    issuer.discovery = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}jwks"}
    with pytest.raises(Unreachable):
        run(trusting(issuer).principal(issuer.token()))
    assert issuer.asked == ["/realms/shop/.well-known/openid-configuration"]


def test_rotation_is_followed(issuer: LocalIssuer) -> None:
    now = 0.0
    authenticator = Authenticator(
        [IssuerConfig(url=issuer.url, audience=AUDIENCE)], monotonic=lambda: now
    )

    async def before_and_after() -> tuple[str, str]:
        nonlocal now
        first = (await authenticator.principal(issuer.token("alice"))).name
        issuer.rotate()
        now = 20.0
        return first, (await authenticator.principal(issuer.token("bob"))).name

    assert run(before_and_after()) == ("alice", "bob")


def test_an_issuer_that_goes_down_is_lived_without_for_an_hour(issuer: LocalIssuer) -> None:
    now = 0.0
    authenticator = Authenticator(
        [IssuerConfig(url=issuer.url, audience=AUDIENCE)], monotonic=lambda: now
    )
    token = issuer.token()
    run(authenticator.principal(token))
    issuer.stop()
    now = 3000.0
    assert run(authenticator.principal(token)).name == "alice"
    now = 3601.0
    with pytest.raises(Unreachable, match="cannot be had") as caught:
        run(authenticator.principal(token))
    assert "does not give its keys" in caught.value.hint


def test_over_tls_the_certificate_must_be_the_issuers(issuer: LocalIssuer, tmp_path: Path) -> None:
    ca_file, leaf = authority.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)
    secure = LocalIssuer(tls=context)
    try:
        trusted = trusting(secure, ca_file=ca_file)
        assert run(trusted.principal(secure.token())).name == "alice"
        with pytest.raises(Unreachable) as unknown:
            run(trusting(secure).principal(secure.token()))
        assert "unable to get local issuer certificate" in unknown.value.hint
        secure.url = secure.url.replace("127.0.0.1", "localhost")
        with pytest.raises(Unreachable) as misnamed:
            run(trusting(secure, ca_file=ca_file).principal(secure.token()))
        assert "Hostname mismatch" in misnamed.value.hint
    finally:
        secure.stop()


def test_a_ca_file_that_cannot_be_read_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    for name in ("missing.pem", "junk.pem"):
        with pytest.raises(UsageError, match=name):
            HttpFetch(tmp_path / name)


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500, 204])
def test_only_a_200_is_an_answer_and_redirects_are_not_followed(
    issuer: LocalIssuer, status: int
) -> None:
    other = LocalIssuer()
    issuer.status = status
    issuer.extra = {"Location": f"{other.url}/.well-known/openid-configuration"}
    with pytest.raises(Unreachable, match=f"status {status}"):
        run(HttpFetch()(f"{issuer.url}/.well-known/openid-configuration"))
    assert other.asked == []
    other.stop()


def test_no_proxy_of_the_environment_sees_it(
    issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run(trusting(issuer).principal(issuer.token())).name == "alice"


def test_a_silent_issuer_is_left_at_the_deadline(issuer: LocalIssuer) -> None:
    issuer.gate.clear()
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"within 0\.3 s"):
        run(HttpFetch(deadline_s=0.3)(f"{issuer.url}/jwks"))
    assert time.monotonic() - started < 3


def test_a_verification_waits_for_its_issuer_at_most_the_deadline(
    issuer: LocalIssuer,
) -> None:
    issuer.gate.clear()
    authenticator = Authenticator(
        [IssuerConfig(url=issuer.url, audience=AUDIENCE)],
        fetcher=lambda config: HttpFetch(deadline_s=0.2),
    )
    started = time.monotonic()
    with pytest.raises(Unreachable):
        run(authenticator.principal(issuer.token()))
    assert time.monotonic() - started < 3


HEAD = b"HTTP/1.1 200 OK\r\n"
ANSWERS: list[tuple[str, list[bytes], str]] = [
    ("nothing", [], "cut off"),
    ("half a head", [HEAD + b"Content-Le"], "cut off"),
    ("half a body", [HEAD + b"Content-Length: 50\r\n\r\n{"], "cut off"),
    ("junk", [b"SSH-2.0-OpenSSH\r\n\r\n"], "no HTTP"),
    ("a huge declared body", [HEAD + b"Content-Length: 999999999\r\n\r\n", b"x" * (MAX_BODY_BYTES + 1)],
     "more than"),
    ("a body without end", [HEAD + b"\r\n", *[b"x" * 65_536] * 6], "more than"),
    ("endless headers", [HEAD + b"X: " + b"x" * 200_000], "too long"),
    ("endless informational answers", [b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000], "cut off"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sent", "why"), ANSWERS, ids=[name for name, *_ in ANSWERS])
def test_strange_answers_are_unreachable(name: str, sent: list[bytes], why: str) -> None:
    with _raw_server(sent) as port, pytest.raises(Unreachable, match=why):
        run(HttpFetch(deadline_s=5)(f"http://127.0.0.1:{port}/jwks"))


def test_a_dripping_answer_is_left_at_the_deadline() -> None:
    with _raw_server([b"H"] * 1000, pause_s=0.02) as port:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="within"):
            run(HttpFetch(deadline_s=0.5)(f"http://127.0.0.1:{port}/jwks"))
        assert time.monotonic() - started < 3


def test_a_chunked_answer_is_read_whole() -> None:
    body = json.dumps({"keys": []}).encode()
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with _raw_server([HEAD + chunked]) as port:
        assert run(HttpFetch()(f"http://127.0.0.1:{port}/jwks")) == body


def test_names_that_do_not_resolve_are_unreachable() -> None:
    for host in ("no-such-host.invalid", "a" * 64 + ".test", "a..b"):
        with pytest.raises(Unreachable):
            run(HttpFetch()(f"https://{host}/jwks"))


class _raw_server:
    """Sends these pieces to whoever asks, then closes."""

    def __init__(self, pieces: list[bytes], pause_s: float = 0.0) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pieces, self._gone, self._pause_s = pieces, threading.Event(), pause_s
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        peer, _ = self._listener.accept()
        with peer:
            peer.recv(65_536)
            try:
                for piece in self._pieces:
                    peer.sendall(piece)
                    if self._pause_s and self._gone.wait(self._pause_s):
                        return
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65_536):
                    pass
            except OSError:
                return


@pytest.mark.parametrize(
    "url", ["http://issuer.test/x", "file:///etc/passwd", "https://u@h/", "gopher://h"]
)
def test_urls_that_may_not_be_asked(url: str) -> None:
    with pytest.raises(UsageError):
        run(HttpFetch()(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://h",
        "https://h:8443/a?b=c",
        "http://127.0.0.1:1/x",
        "http://[::1]:1/",
        "http://localhost/",
    ],
)
def test_urls_that_may(url: str) -> None:
    check: Callable[[str], object] = split
    assert check(url)
