"""What a session hands out once, and what little of it is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from typing import Final, Self

from dbgate_broker.gateway.seams import ScramVerifier
from dbgate_core.secret import Secret

ITERATIONS: Final = 4096
"""PostgreSQL's own default and the least that RFC 7677 allows; the password has 192 random bits."""
PLAIN: Final = frozenset(string.ascii_letters + string.digits + "._-@+")
MAX_USERNAME: Final = 63
"""NAMEDATALEN - 1: clients and pools cut longer names."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session's tunnel token (256 bit) and one-time password, in the clear: for the answer alone."""

    token: Secret
    password: Secret

    @classmethod
    def new(cls) -> Self:
        """A fresh one."""
        return cls(Secret(secrets.token_urlsafe(32)), Secret(secrets.token_urlsafe(24)))


@dataclass(frozen=True, slots=True)
class Stub:
    """What the broker keeps of a ticket: enough to check it, not to use it."""

    token_sha256: bytes
    scram: ScramVerifier

    @classmethod
    def of(cls, ticket: Ticket) -> Self:
        """The stub of a ticket, with a salt of its own."""
        salt = secrets.token_bytes(16)
        return cls(_sha256(ticket.token), verifier(ticket.password, salt))

    def admits(self, token: Secret) -> bool:
        """Whether this is the ticket's token; compared in constant time."""
        return hmac.compare_digest(self.token_sha256, _sha256(token))


def verifier(password: Secret, salt: bytes, iterations: int = ITERATIONS) -> ScramVerifier:
    """The SCRAM-SHA-256 verifier of an ASCII password (RFC 5802 section 3, RFC 7677)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.expose().encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return ScramVerifier(
        salt=salt,
        iterations=iterations,
        stored_key=hashlib.sha256(client_key).digest(),
        server_key=hmac.digest(salted, b"Server Key", "sha256"),
    )


def login_name(name: str) -> str:
    """A principal's name as the user name of the local endpoint: plain ASCII, never empty."""
    plain = "".join(ch if ch in PLAIN else "_" for ch in name)[:MAX_USERNAME]
    return plain if plain.strip("_") else "dbgate"


def new_session_id() -> str:
    """64 random bits, to be typed by people."""
    return f"s-{secrets.token_hex(8)}"


def new_request_id() -> str:
    """48 random bits, to be typed by people."""
    return f"r-{secrets.token_hex(6)}"


def _sha256(token: Secret) -> bytes:
    return hashlib.sha256(token.expose().encode("utf-8", "surrogatepass")).digest()
