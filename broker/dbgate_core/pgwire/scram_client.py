"""SCRAM-SHA-256 and -PLUS, the client's side (RFC 5802, RFC 5929, RFC 7677), from keys.

The keys come out of the password at the cost of thousands of hashes, for a given salt and count; a
caller who keeps them logs in again for the price of six. (libpq 18 takes them as
`scram_client_key` and `scram_server_key`.)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.scram import ascii_of, decoded

_CHALLENGE: Final = re.compile(r"r=([!-+\--~]{1,1024}),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,8})")
"""`m=` in front would ask for an extension, and an extension behind is none that is known here."""
_LAST: Final = re.compile(r"v=([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Keys:
    """ClientKey and ServerKey (RFC 5802, section 3): whoever has them can log in as the user."""

    client: bytes = field(repr=False)
    server: bytes = field(repr=False)

    @classmethod
    def derive(cls, password: bytes, salt: bytes, iterations: int) -> Keys:
        """Make them from a password that SASLprep has passed. Takes milliseconds."""
        salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
        return cls(_mac(salted, b"Client Key"), _mac(salted, b"Server Key"))


@dataclass(frozen=True, slots=True)
class Binding:
    """A channel that the log-in is bound to: the type's name and its data."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server asks: the salt and count of the user's keys."""

    salt: bytes
    iterations: int


class ScramClient:
    """One log-in. `nonce` is fresh, random and printable.

    `binding` binds it to the channel (-PLUS). `could_bind`: it is not, because the server did not
    offer that; then whoever hid the offer is found out (`y`).
    """

    def __init__(self, nonce: str, binding: Binding | None, *, could_bind: bool) -> None:
        flag = f"p={binding.name}" if binding else "y" if could_bind else "n"
        self._header = f"{flag},,"
        self._bound = self._header.encode() + (binding.data if binding else b"")
        self._nonce = nonce
        self._bare = f"n=,r={nonce}"  # the user is that of the StartupMessage
        self._whole_nonce = ""
        self._server_first = ""
        self._expected = b""

    def first(self) -> bytes:
        """The client-first-message."""
        return (self._header + self._bare).encode()

    def challenged(self, server_first: bytes) -> Challenge:
        """Read the server-first-message. Raises ProtocolViolation, so for a nonce that is not ours."""
        text = ascii_of(server_first)
        found = _CHALLENGE.fullmatch(text)
        if found is None:
            raise ProtocolViolation("a malformed SCRAM challenge")
        nonce, salt, iterations = found.groups()
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ProtocolViolation("a SCRAM challenge that does not continue the exchange")
        self._whole_nonce, self._server_first = nonce, text
        return Challenge(decoded(salt), int(iterations))

    def final(self, keys: Keys) -> bytes:
        """The client-final-message; `challenged` came before."""
        unproven = f"c={base64.b64encode(self._bound).decode()},r={self._whole_nonce}"
        signed = f"{self._bare},{self._server_first},{unproven}".encode()
        signature = _mac(hashlib.sha256(keys.client).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(keys.client, signature, strict=True))
        self._expected = _mac(keys.server, signed)
        return f"{unproven},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final: bytes) -> None:
        """Demand the server's own proof. Raises ProtocolViolation when it is wrong."""
        found = _LAST.fullmatch(ascii_of(server_final))
        proof = decoded(found[1]) if found else b""
        if not self._expected or not hmac.compare_digest(proof, self._expected):
            raise ProtocolViolation("a server that does not prove that it knows the password")


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
