"""SCRAM towards PostgreSQL: proves the ephemeral user's password, and demands the server's proof.

SCRAM-SHA-256-PLUS (bound to the server's certificate, RFC 5929 tls-server-end-point) when the
server offers it over TLS; else SCRAM-SHA-256, which says that we could have bound, so that somebody
between us who hid the offer is found out.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from scramp import ScramException  # type: ignore[import-untyped]  # it ships none
from scramp.utils import saslprep  # type: ignore[import-untyped]

from dbgate_broker.gateway.limits import MAX_ITERATIONS
from dbgate_broker.gateway.seams import Credentials
from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.scram_client import Binding, Challenge, Keys, ScramClient

PLUS: Final = "SCRAM-SHA-256-PLUS"
PLAIN: Final = "SCRAM-SHA-256"
_OK, _SASL, _CONTINUE, _FINAL = 0, 10, 11, 12


class Proof:
    """One log-in. `accepted` is set by AuthenticationOk after the server's own proof, by nothing else."""

    def __init__(
        self, credentials: Credentials, transport: asyncio.BaseTransport | None, *, tls: bool
    ) -> None:
        self._credentials = credentials
        self._binding = _binding(transport) if tls else None
        self._client: ScramClient | None = None
        self._answered = False
        self._proved = False
        self.accepted = False

    async def answer(self, body: bytes) -> bytes:
        """Answer one Authentication message; empty when nothing is to be sent.

        Raises ProtocolViolation for any request but SCRAM, and for a wrong proof.
        """
        if len(body) < 4:
            raise ProtocolViolation("a malformed Authentication message")
        (code,) = struct.unpack_from("!I", body)
        return await self._step(code, body[4:])

    async def _step(self, code: int, data: bytes) -> bytes:
        client = self._client
        if code == _SASL and client is None:
            return self._first(data)
        if code == _CONTINUE and client is not None and not self._answered:
            self._answered = True
            return client.final(await self._keys(client.challenged(data)))
        if code == _FINAL and client is not None and not self._proved:
            client.verify(data)
            self._proved = True
            return b""
        if code == _OK and self._proved:
            self.accepted = True
            return b""
        raise ProtocolViolation(f"it asks for a log-in that dbgate does not do (code {code})")

    async def _keys(self, challenge: Challenge) -> Keys:
        """The user's keys: made once for what a server asks, and kept as long as the password is."""
        if challenge.iterations > MAX_ITERATIONS:
            raise ProtocolViolation("it asks for too many SCRAM iterations")
        kept = self._credentials.keys
        if challenge not in kept:
            password = _prepared(self._credentials.password.expose())
            made = await asyncio.to_thread(
                Keys.derive, password, challenge.salt, challenge.iterations
            )
            kept.clear()  # a user has one salt; a server that changes it fills no memory
            kept[challenge] = made
        return kept[challenge]

    def _first(self, offered: bytes) -> bytes:
        names = offered.split(b"\0")
        if self._binding is not None and PLUS.encode() in names:
            mechanism, binding = PLUS, self._binding
        elif PLAIN.encode() in names:
            mechanism, binding = PLAIN, None
        else:
            raise ProtocolViolation("it does not offer SCRAM-SHA-256")
        could_bind = self._binding is not None
        self._client = ScramClient(secrets.token_urlsafe(18), binding, could_bind=could_bind)
        first = self._client.first()
        return mechanism.encode() + b"\0" + struct.pack("!I", len(first)) + first


def _prepared(password: str) -> bytes:
    """As PostgreSQL has it (pg_saslprep): what SASLprep does not take is used as it is."""
    try:
        prepared: str = saslprep(password) if not password.isascii() else password
    except ScramException:
        prepared = password
    return prepared.encode()


def _binding(transport: asyncio.BaseTransport | None) -> Binding | None:
    """The hash of the server's certificate (RFC 5929, section 4.1); None when it has no defined one."""
    tls = transport.get_extra_info("ssl_object") if transport is not None else None
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if not der:
        raise ProtocolViolation("it showed no certificate")
    return _end_point(der)


@lru_cache(maxsize=64)
def _end_point(der: bytes) -> Binding | None:
    certificate = x509.load_der_x509_certificate(der)
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return None
    if algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    return Binding("tls-server-end-point", certificate.fingerprint(algorithm))
