"""The client's side of SCRAM against an independent server's (scramp), and against nonsense."""

from __future__ import annotations

import hashlib

import pytest
import scramp  # type: ignore[import-untyped]  # it ships none
from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.scram_client import Binding, Challenge, Keys, ScramClient

NONCE = "fyko+d2lbbFgONRv9qkxdawL"
CERTIFICATE = hashlib.sha256(b"certificate").digest()
BINDING = Binding("tls-server-end-point", CERTIFICATE)


def test_the_example_of_rfc_7677() -> None:
    """Section 3, byte for byte, with the user's name that PostgreSQL's clients leave out."""
    client = ScramClient("rOprNGfwEbeRWgbNEkqO", None, could_bind=False)
    assert client.first() == b"n,,n=,r=rOprNGfwEbeRWgbNEkqO"
    client._bare = client._bare.replace("n=,", "n=user,")
    nonce = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    challenge = client.challenged(nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    made = Keys.derive(b"pencil", challenge.salt, challenge.iterations)
    assert client.final(made) == (
        b"c=biws," + nonce + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    client.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert str(made) == "Keys()"


@pytest.mark.parametrize(
    ("mechanism", "binding", "could_bind"),
    [
        ("SCRAM-SHA-256", None, False),
        ("SCRAM-SHA-256-PLUS", BINDING, True),
    ],
)
def test_an_independent_server_accepts_it_and_is_accepted(
    mechanism: str, binding: Binding | None, could_bind: bool
) -> None:
    server = offered(mechanism, CERTIFICATE)
    client = ScramClient(NONCE, binding, could_bind=could_bind)
    play(server, client, "secret")
    client.verify(server.get_server_final().encode())


def offered(mechanism: str, certificate: bytes) -> scramp.ScramServer:
    """A server that knows the password `secret`."""
    made = scramp.ScramMechanism(mechanism)
    salt, stored, own, count = made.make_auth_info("secret", iteration_count=4096)
    plus = mechanism.endswith("PLUS")
    channel = (BINDING.name, certificate) if plus else None
    return made.make_server(lambda name: (salt, stored, own, count), channel_binding=channel)


def play(server: scramp.ScramServer, client: ScramClient, password: str) -> None:
    # scramp takes no empty user name, as PostgreSQL's clients send: any will do
    client._bare = client._bare.replace("n=,", "n=someone,")
    server.set_client_first(client.first().decode())
    challenge = client.challenged(server.get_server_first().encode())
    keys = Keys.derive(password.encode(), challenge.salt, challenge.iterations)
    server.set_client_final(client.final(keys).decode())


def test_another_channel_or_password_is_refused() -> None:
    for certificate, password in ((bytes(32), "secret"), (CERTIFICATE, "other")):
        server = offered("SCRAM-SHA-256-PLUS", certificate)
        with pytest.raises(scramp.ScramException):
            play(server, ScramClient(NONCE, BINDING, could_bind=True), password)


def test_a_hidden_offer_of_binding_is_told() -> None:
    assert ScramClient(NONCE, None, could_bind=True).first().startswith(b"y,,")


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"\xff",
        b"r=other,s=eA==,i=4096",
        f"r={NONCE},s=eA==,i=4096".encode(),
        f"m=x,r={NONCE}x,s=eA==,i=4096".encode(),
        f"r={NONCE}x,s=eA==,i=4096,x=y".encode(),
        f"r={NONCE}x,s=eA==,i=0".encode(),
        f"r={NONCE}x,s=eA==,i=-1".encode(),
        f"r={NONCE}x,s=eA==,i=9999999999".encode(),
        f"r={NONCE}x,s=e,i=4096".encode(),
        f"r={NONCE}x,s=,i=4096".encode(),
        f"r={NONCE}x y,s=eA==,i=4096".encode(),
    ],
)
def test_a_challenge_that_is_not_right_is_refused(first: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        ScramClient(NONCE, None, could_bind=False).challenged(first)


keys = Keys(bytes(32), bytes(32))


@pytest.mark.parametrize("last", [b"", b"v=", b"v=eA==", b"e=other-error", b"\xff", b"v=e"])
def test_a_server_without_its_proof_is_refused(last: bytes) -> None:
    client = ScramClient(NONCE, None, could_bind=False)
    with pytest.raises(ProtocolViolation):
        client.verify(last)
    assert client.challenged(f"r={NONCE}x,s=eA==,i=1".encode()) == Challenge(b"x", 1)
    client.final(keys)
    with pytest.raises(ProtocolViolation):
        client.verify(last)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), st.just(f"r={NONCE}x,s=eA==,i=1".encode())),
    st.binary(max_size=80),
)
def test_only_declared_errors_leave(first: bytes, last: bytes) -> None:
    client = ScramClient(NONCE, BINDING, could_bind=True)
    try:
        client.challenged(first)
    except ProtocolViolation:
        return
    client.final(keys)
    with pytest.raises(ProtocolViolation):
        client.verify(last)
