"""SCRAM towards PostgreSQL: proves the ephemeral user's password, and demands the server's proof.

SCRAM-SHA-256-PLUS (bound to the server's certificate, RFC 5929 tls-server-end-point) when the
server offers it over TLS; else SCRAM-SHA-256, which says that we could have bound, so that somebody
between us who hid the offer is found out.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final

import scramp  # type: ignore[import-untyped]  # it ships none
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dbgate_broker.gateway.limits import MAX_ITERATIONS
from dbgate_broker.gateway.seams import Credentials
from dbgate_core.errors import ProtocolViolation

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
        self._client: scramp.ScramClient | None = None
        self._proved = False
        self.accepted = False

    async def answer(self, body: bytes) -> bytes:
        """Answer one Authentication message; empty when nothing is to be sent.

        Raises ProtocolViolation for any request but SCRAM, and for a wrong proof.
        """
        if len(body) < 4:
            raise ProtocolViolation("a malformed Authentication message")
        (code,) = struct.unpack_from("!I", body)
        try:
            return await self._step(code, body[4:])
        except (scramp.ScramException, UnicodeDecodeError) as exc:
            raise ProtocolViolation("its SCRAM exchange is wrong") from exc

    async def _step(self, code: int, data: bytes) -> bytes:
        if code == _SASL and self._client is None:
            return self._first(data)
        if code == _CONTINUE and self._client is not None and not self._proved:
            self._client.set_server_first(data.decode("ascii"))
            if int(self._client.iterations) > MAX_ITERATIONS:
                raise ProtocolViolation("it asks for too many SCRAM iterations")
            final: str = await asyncio.to_thread(self._client.get_client_final)
            return final.encode()
        if code == _FINAL and self._client is not None:
            self._client.set_server_final(data.decode("ascii"))
            self._proved = True
            return b""
        if code == _OK and self._proved:
            self.accepted = True
            return b""
        raise ProtocolViolation(f"it asks for a log-in that dbgate does not do (code {code})")

    def _first(self, offered: bytes) -> bytes:
        names = [name.decode("ascii") for name in offered.split(b"\0") if name]
        wanted = [PLUS, PLAIN] if self._binding is not None else [PLAIN]
        mechanisms = [name for name in wanted if name in names][:1]
        if not mechanisms:
            raise ProtocolViolation("it does not offer SCRAM-SHA-256")
        self._client = scramp.ScramClient(
            mechanisms,
            self._credentials.username,
            self._credentials.password.expose(),
            channel_binding=self._binding,
        )
        first: bytes = self._client.get_client_first().encode()
        return mechanisms[0].encode() + b"\0" + struct.pack("!I", len(first)) + first


def _binding(transport: asyncio.BaseTransport | None) -> tuple[str, bytes] | None:
    """The hash of the server's certificate (RFC 5929, section 4.1); None when it has no defined one."""
    tls = transport.get_extra_info("ssl_object") if transport is not None else None
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if not der:
        raise ProtocolViolation("it showed no certificate")
    certificate = x509.load_der_x509_certificate(der)
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return None
    if algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    return "tls-server-end-point", certificate.fingerprint(algorithm)
