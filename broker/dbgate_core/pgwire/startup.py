"""The first packet of a connection, as clients send it and as dbgate sends it.

Source: PostgreSQL documentation, "Message Formats" (StartupMessage, SSLRequest, GSSENCRequest,
CancelRequest) and "Start-up".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from dbgate_core.errors import NotSignedIn, ProtocolViolation
from dbgate_core.pgwire import options
from dbgate_core.pgwire.backend import REQUIRED
from dbgate_core.pgwire.messages import cstring, message

MAX_STARTUP_BYTES: Final = 10_000
"""PostgreSQL's own bound (MAX_STARTUP_PACKET_LENGTH)."""
PROTOCOL_3_0: Final = 3 << 16
PROTOCOL_3_2: Final = PROTOCOL_3_0 + 2
"""The newest that is spoken here. It differs from 3.0 in the length of cancel keys alone; 3.1 was
never made."""
_CANCEL: Final = (1234 << 16) + 5678
_SSL: Final = (1234 << 16) + 5679
_GSSENC: Final = (1234 << 16) + 5680
MIN_KEY_BYTES: Final = 4
MAX_KEY_BYTES: Final = 256
"""The bounds of a cancel key's secret; protocol 3.0 has the shortest only."""
LONG_KEY_BYTES: Final = 32
"""As long as PostgreSQL 18 makes them."""

TLS_HANDSHAKE: Final = 0x16
"""The first byte of a TLS record with a ClientHello (RFC 8446, section 5.1)."""


class DirectTls(ProtocolViolation):
    """TLS inside the tunnel without an SSLRequest. `ALERT` is what such a client understands."""

    ALERT: Final = bytes([0x15, 3, 3, 0, 2, 2, 40])
    """Fatal, handshake_failure (RFC 8446, section 6)."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """SSLRequest or GSSENCRequest: answered `N`, the tunnel is encrypted already."""

    gss: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """A CancelRequest with its key: process id and secret."""

    pid: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class Startup:
    """A StartupMessage: who, which database, and the settings that it asks for.

    A setting may pass on only when its SET may run (`options.as_statement`).
    """

    user: str
    database: str
    minor: int
    parameters: dict[str, str] = field(default_factory=dict)
    unknown_options: tuple[str, ...] = ()

    @property
    def key_bytes(self) -> int:
        """How long a secret its cancel key has."""
        long = PROTOCOL_3_0 + self.minor >= PROTOCOL_3_2
        return LONG_KEY_BYTES if long else MIN_KEY_BYTES

    @property
    def negotiation(self) -> bytes:
        """The NegotiateProtocolVersion that answers it; empty when all that it asks is spoken."""
        version = PROTOCOL_3_0 + self.minor
        if version <= PROTOCOL_3_2 and not self.unknown_options:
            return b""
        names = b"".join(name.encode() + b"\0" for name in self.unknown_options)
        spoken = struct.pack("!II", min(version, PROTOCOL_3_2), len(self.unknown_options))
        return message(b"v", spoken + names)


def length_of(data: bytes) -> int | None:
    """The whole length of the first packet, once four bytes are there. Raises ProtocolViolation, and
    DirectTls."""
    if len(data) < 4:
        return None
    length = int.from_bytes(data[:4], "big")
    if data[0] == TLS_HANDSHAKE:
        raise DirectTls("TLS within the tunnel", hint="the tunnel is encrypted: sslmode=disable")
    if not 8 <= length <= MAX_STARTUP_BYTES:
        raise ProtocolViolation(f"a first packet of length {length}")
    return length


def read(packet: bytes) -> Encryption | Cancel | Startup:
    """Read one whole first packet. Raises ProtocolViolation for what is unknown or refused."""
    (code,) = struct.unpack_from("!I", packet, 4)
    if code in (_SSL, _GSSENC):
        if len(packet) != 8:
            raise ProtocolViolation("an encryption request with bytes left over")
        return Encryption(gss=code == _GSSENC)
    if code == _CANCEL:
        if not MIN_KEY_BYTES <= len(packet) - 12 <= MAX_KEY_BYTES:
            raise ProtocolViolation("a CancelRequest of a wrong length")
        return Cancel(int.from_bytes(packet[8:12], "big"), packet[12:])
    if code >> 16 != 3:
        raise ProtocolViolation(
            f"protocol {code >> 16}.{code & 0xFFFF} is not spoken here",
            hint="use protocol 3",
            sqlstate="0A000",
        )
    return _startup(packet, code & 0xFFFF)


def _startup(packet: bytes, minor: int) -> Startup:
    values: dict[str, str] = {}
    position = 8
    while position < len(packet) and packet[position]:
        name, position = cstring(packet, position)
        value, position = cstring(packet, position)
        if name in values:
            raise ProtocolViolation(f"the start-up parameter {name} stands twice")
        values[name] = value
    if position != len(packet) - 1:
        raise ProtocolViolation("a malformed StartupMessage")
    user = values.pop("user", "")
    if not user:
        raise NotSignedIn(
            "no user name in the StartupMessage", hint="use the one of dbgate connect"
        )
    database = values.pop("database", "") or user
    unknown = tuple(name for name in values if name.startswith("_pq_."))
    passed = {name: value for name, value in values.items() if name not in unknown}
    return Startup(user, database, minor, options.checked(passed), unknown)


def startup_message(user: str, database: str, parameters: dict[str, str]) -> bytes:
    """The StartupMessage that dbgate sends to the server: 3.2, for its longer cancel key."""
    pairs = {"user": user, "database": database, **parameters, **REQUIRED}
    body = b"".join(f"{k}\0{v}\0".encode() for k, v in pairs.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, PROTOCOL_3_2) + body


def ssl_request() -> bytes:
    """An SSLRequest."""
    return struct.pack("!II", 8, _SSL)


def cancel_request(pid: int, secret: bytes) -> bytes:
    """A CancelRequest."""
    return struct.pack("!III", 12 + len(secret), _CANCEL, pid) + secret


def backend_key_data(pid: int, secret: bytes) -> bytes:
    """A BackendKeyData: the key that a client must show to cancel."""
    return message(b"K", struct.pack("!I", pid) + secret)


def negotiated(body: bytes) -> None:
    """Read the server's answer to `startup_message`. Raises ProtocolViolation for any but 3.0."""
    if body != struct.pack("!II", PROTOCOL_3_0, 0):
        raise ProtocolViolation("it negotiates a protocol that was not offered")


def backend_key(body: bytes) -> tuple[int, bytes]:
    """The process id and secret of a server's BackendKeyData. Raises ProtocolViolation."""
    if not MIN_KEY_BYTES <= len(body) - 4 <= MAX_KEY_BYTES:
        raise ProtocolViolation("a BackendKeyData of a wrong length")
    return int.from_bytes(body[:4], "big"), body[4:]
