"""SCRAM-SHA-256, the server's side (RFC 5802, RFC 7677), without channel binding.

PostgreSQL's clients leave the user name of the exchange empty or send any: the one of the
StartupMessage counts. The TLS of the tunnel protects the exchange, so no binding is offered.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Final

from dbgate_core.errors import ProtocolViolation

MECHANISM: Final = "SCRAM-SHA-256"
_FIRST: Final = re.compile(r"([ny]),(a=[^,]*)?,(n=[^,]*,r=([!-+\--~]{1,512})(?:,[A-Za-z]=[^,]+)*)")
_FINAL: Final = re.compile(r"(c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)),p=([A-Za-z0-9+/=]+)")


class ScramServer:
    """One authentication. `nonce` is fresh, random and printable; the keys are the verifier's."""

    def __init__(
        self, salt: bytes, iterations: int, stored_key: bytes, server_key: bytes, nonce: str
    ) -> None:
        self._salt = base64.b64encode(salt).decode()
        self._iterations = iterations
        self._stored_key = stored_key
        self._server_key = server_key
        self._nonce = nonce
        self._bare = ""
        self._header = ""
        self._challenge = ""

    def challenge(self, client_first: bytes) -> bytes:
        """The server-first-message. Raises ProtocolViolation for a malformed message."""
        found = _FIRST.fullmatch(ascii_of(client_first))
        if found is None:
            raise ProtocolViolation("a malformed SCRAM message")
        flag, identity, self._bare, client_nonce = found.groups()
        self._header = f"{flag},{identity or ''},"
        self._nonce = client_nonce + self._nonce
        self._challenge = f"r={self._nonce},s={self._salt},i={self._iterations}"
        return self._challenge.encode()

    def verify(self, client_final: bytes) -> bytes | None:
        """The server-final-message; None when the proof is wrong. Raises ProtocolViolation."""
        found = _FINAL.fullmatch(ascii_of(client_final))
        if found is None or not self._challenge:
            raise ProtocolViolation("a malformed SCRAM message")
        unproven, binding, nonce, proof = found.groups()
        if not hmac.compare_digest(nonce, self._nonce) or decoded(binding) != self._header.encode():
            raise ProtocolViolation("a SCRAM message that does not continue the exchange")
        signed = f"{self._bare},{self._challenge},{unproven}".encode()
        signature = hmac.digest(self._stored_key, signed, "sha256")
        given = decoded(proof)
        if len(given) != len(signature):
            raise ProtocolViolation("a malformed SCRAM message")
        client_key = bytes(a ^ b for a, b in zip(given, signature, strict=True))
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self._stored_key):
            return None
        return b"v=" + base64.b64encode(hmac.digest(self._server_key, signed, "sha256"))


def ascii_of(data: bytes) -> str:
    """A SCRAM message as text. Raises ProtocolViolation."""
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as exc:
        raise ProtocolViolation("a malformed SCRAM message") from exc


def decoded(text: str) -> bytes:
    """An attribute in base64. Raises ProtocolViolation."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ProtocolViolation("a malformed SCRAM message") from exc
