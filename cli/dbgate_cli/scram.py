"""SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677), without channel binding.

The one-time password is ASCII, so SASLprep changes nothing. The TLS beneath verifies the gateway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.secret import Secret

MECHANISM: Final = "SCRAM-SHA-256"
MAX_ITERATIONS: Final = 1_000_000
"""PostgreSQL uses 4096. More than this is an attempt to keep us busy."""
_HEADER: Final = "n,,"


class ScramClient:
    """One authentication. `nonce` is fresh, random and printable."""

    def __init__(self, password: Secret, nonce: str) -> None:
        self._password = password
        self._nonce = nonce
        self._bare = f"n=,r={nonce}"
        self._server_signature = b""

    def first(self) -> bytes:
        """The client-first-message. The user name is the one of the startup message."""
        return (_HEADER + self._bare).encode()

    def final(self, server_first: bytes) -> bytes:
        """The client-final-message. Raises ProtocolViolation for an answer that is not ours."""
        attributes = _attributes(server_first)
        nonce = attributes.get("r", "")
        try:
            salt = base64.b64decode(attributes["s"], validate=True)
            iterations = int(attributes["i"])
        except (KeyError, ValueError, binascii.Error) as exc:
            raise ProtocolViolation("the SCRAM challenge is malformed") from exc
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ProtocolViolation("the SCRAM challenge does not continue our nonce")
        if not 1 <= iterations <= MAX_ITERATIONS:
            raise ProtocolViolation(f"the SCRAM challenge asks for {iterations} iterations")
        salted = hashlib.pbkdf2_hmac("sha256", self._password.expose().encode(), salt, iterations)
        client_key = _mac(salted, b"Client Key")
        without_proof = f"c={base64.b64encode(_HEADER.encode()).decode()},r={nonce}"
        signed = b",".join([self._bare.encode(), server_first, without_proof.encode()])
        signature = _mac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._server_signature = _mac(_mac(salted, b"Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final: bytes) -> None:
        """Check that the server knows the password too. Raises ProtocolViolation if not."""
        expected = base64.b64encode(self._server_signature)
        given = _attributes(server_final).get("v", "").encode()
        if not self._server_signature or not hmac.compare_digest(given, expected):
            raise ProtocolViolation("the gateway did not prove that it knows the session")


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _attributes(text: bytes) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.decode("ascii", "replace").split(","))
    return {key: value for key, _, value in pairs}
