"""SCRAM-SHA-256 with a server that keeps its keys, and with servers that cheat."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_cli.scram import ScramClient
from dbgate_core.errors import ProtocolViolation
from dbgate_core.secret import Secret

# The nonces and the salt of RFC 7677, section 3.
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = NONCE + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="


def client() -> ScramClient:
    return ScramClient(Secret("pencil"), NONCE)


def challenge(nonce: str = SERVER_NONCE, salt: str = SALT, iterations: str = "4096") -> bytes:
    return f"r={nonce},s={salt},i={iterations}".encode()


class Server:
    """The server's side, which keeps no password but its two keys (RFC 5802, section 3)."""

    def __init__(self, password: bytes) -> None:
        salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(SALT), 4096)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        self.stored_key = hashlib.sha256(client_key).digest()
        self.server_key = hmac.digest(salted, b"Server Key", "sha256")

    def answer(self, first: bytes, final: bytes) -> bytes:
        """Check the proof; give the server-final-message."""
        without_proof, _, proof = final.rpartition(b",p=")
        signed = b",".join([first.removeprefix(b"n,,"), challenge(), without_proof])
        signature = hmac.digest(self.stored_key, signed, "sha256")
        key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        assert hashlib.sha256(key).digest() == self.stored_key, "the proof is wrong"
        return b"v=" + base64.b64encode(hmac.digest(self.server_key, signed, "sha256"))


def test_both_sides_prove_that_they_know_the_password() -> None:
    ours, server = client(), Server(b"pencil")
    final = ours.final(challenge())
    assert final.startswith(b"c=biws,r=" + SERVER_NONCE.encode() + b",p=")
    ours.verify(server.answer(ours.first(), final))


def test_another_password_proves_nothing() -> None:
    ours = client()
    with pytest.raises(AssertionError, match="the proof is wrong"):
        Server(b"pencils").answer(ours.first(), ours.final(challenge()))


def test_the_proof_depends_on_everything() -> None:
    proofs = {
        client().final(challenge()),
        client().final(challenge(iterations="4097")),
        client().final(challenge(salt=base64.b64encode(b"another salt").decode())),
        client().final(challenge(nonce=SERVER_NONCE + "x")),
        ScramClient(Secret("pencils"), NONCE).final(challenge()),
    }
    assert len(proofs) == 5
    assert not [proof for proof in proofs if b"pencil" in proof]


@pytest.mark.parametrize(
    "first",
    [
        challenge(nonce=NONCE),
        challenge(nonce="another"),
        challenge(salt="not base64"),
        challenge(iterations="0"),
        challenge(iterations="-1"),
        challenge(iterations="1000001"),
        challenge(iterations="9" * 5000),
        challenge(iterations="many"),
        b"",
        b"\xff\xfe",
        b"e=other-error",
    ],
)
def test_a_challenge_that_cheats_is_refused(first: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        client().final(first)


@pytest.mark.parametrize(
    "last", [b"", b"v=", b"v=AAAA", b"e=invalid-proof", b"v=\xff\xff", "v=é".encode()]
)
def test_a_server_without_the_password_is_not_believed(last: bytes) -> None:
    ours = client()
    with pytest.raises(ProtocolViolation):
        ours.verify(last)
    ours.final(challenge())
    with pytest.raises(ProtocolViolation):
        ours.verify(last)


@given(st.binary(max_size=60))
def test_only_the_declared_error_leaves(data: bytes) -> None:
    ours = client()
    for call in (lambda: ours.final(data), lambda: ours.verify(data)):
        with pytest.raises(ProtocolViolation):
            call()
