"""The client's log-in behind the CONNECT: PostgreSQL's start-up, and SCRAM as the server.

An unknown user meets the same exchange as a known one with a wrong password, and the same end.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from typing import Final

from dbgate_broker.gateway.limits import MAX_AUTH_BYTES
from dbgate_broker.gateway.seams import ScramVerifier, Tunnel
from dbgate_broker.gateway.wire import Wire
from dbgate_core.errors import NotFound, NotSignedIn, ProtocolViolation
from dbgate_core.pgwire import startup
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.scram import MECHANISM, ScramServer

_SASL: Final = 10
_CONTINUE: Final = 11
_FINAL: Final = 12
_OK: Final = 0
_MOCK_KEY: Final = secrets.token_bytes(32)
"""Makes salts for users that do not exist: the same one each time, as a real user's would be."""


async def first_packet(wire: Wire) -> startup.Startup | startup.Cancel:
    """Read up to the StartupMessage or CancelRequest; each request for encryption is answered `N`.

    Raises Gone, ProtocolViolation.
    """
    asked: set[startup.Encryption] = set()
    while True:
        packet = await _packet(wire)
        if not isinstance(packet, startup.Encryption):
            return packet
        if packet in asked:
            raise ProtocolViolation("a second request for encryption")
        asked.add(packet)
        wire.write(b"N")


async def _packet(wire: Wire) -> startup.Encryption | startup.Cancel | startup.Startup:
    head = await wire.read(4)
    length = startup.length_of(head)
    if length is None:
        raise ProtocolViolation("a first packet without a length")
    return startup.read(head + await wire.read(length - 4))


async def log_in(wire: Wire, asked: startup.Startup, tunnel: Tunnel) -> None:
    """Let the client prove that it has the tunnel's one-time password. Raises NotSignedIn (28P01),
    NotFound (3D000), ProtocolViolation, Gone."""
    wire.write(asked.negotiation)
    known = hmac.compare_digest(asked.user.encode(), tunnel.username.encode())
    verifier = tunnel.scram if known else _mock(asked.user, tunnel.scram)
    final = await _exchange(wire, verifier)
    if final is None or not known:
        raise NotSignedIn(
            f'password authentication failed for user "{asked.user}"',
            hint="use the user and the one-time password that dbgate connect gives",
            sqlstate="28P01",
        )
    dbname = tunnel.database.dbname
    if asked.database != dbname:
        raise NotFound(
            f'this session does not lead to database "{asked.database}"',
            hint=f"connect to {dbname}, or open a session for the other one",
        )
    wire.write(_authentication(_FINAL, final) + _authentication(_OK, b""))


async def _exchange(wire: Wire, verifier: ScramVerifier) -> bytes | None:
    """The SCRAM exchange: the server-final-message, or None when the proof is wrong."""
    wire.write(_authentication(_SASL, MECHANISM.encode() + b"\0\0"))
    server = ScramServer(
        verifier.salt,
        verifier.iterations,
        verifier.stored_key,
        verifier.server_key,
        secrets.token_urlsafe(18),
    )
    initial = await _sasl(wire)
    mechanism, _, rest = initial.partition(b"\0")
    if mechanism != MECHANISM.encode():
        raise ProtocolViolation(f"a log-in by another mechanism than {MECHANISM}")
    if int.from_bytes(rest[:4], "big") != len(rest) - 4:
        raise ProtocolViolation("a malformed SASLInitialResponse")
    wire.write(_authentication(_CONTINUE, server.challenge(rest[4:])))
    return server.verify(await _sasl(wire))


async def _sasl(wire: Wire) -> bytes:
    kind, body = await wire.read_message(MAX_AUTH_BYTES)
    if kind != "p":
        raise ProtocolViolation(f"a message {kind!r} before the log-in's end")
    return body


def _mock(user: str, real: ScramVerifier) -> ScramVerifier:
    salt = hmac.digest(_MOCK_KEY, user.encode(), hashlib.sha256)[: len(real.salt)]
    return ScramVerifier(salt, real.iterations, secrets.token_bytes(32), secrets.token_bytes(32))


def _authentication(code: int, data: bytes) -> bytes:
    return message(b"R", struct.pack("!I", code) + data)
