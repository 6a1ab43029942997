"""The first packet of a connection, and the parameters dbgate lets through.

Source: PostgreSQL documentation, "Message Formats" (StartupMessage, SSLRequest, GSSENCRequest,
CancelRequest) and "Start-up".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from dbgate_core.errors import ProtocolViolation
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

ALLOWED: Final = frozenset(
    [
        "application_name",
        "client_encoding",
        "datestyle",
        "timezone",
        "intervalstyle",
        "extra_float_digits",
        "search_path",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "default_transaction_read_only",
        "default_transaction_isolation",
        "bytea_output",
        "jit",
        "geqo",
        "tcp_keepalives_idle",
        "enable_seqscan",
        "work_mem",
    ]
)
"""Start-up parameters that pass (lower case). What changes lexing or identity is not here."""


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
    """A StartupMessage: who, which database, and the parameters that pass on."""

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
    """The whole length of the first packet, once four bytes are there. Raises ProtocolViolation."""
    if len(data) < 4:
        return None
    length = int.from_bytes(data[:4], "big")
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
            f"protocol {code >> 16}.{code & 0xFFFF} is not spoken here", hint="use protocol 3"
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
    database = values.pop("database", user)
    unknown = tuple(name for name in values if name.startswith("_pq_."))
    passed = {name: value for name, value in values.items() if name not in unknown}
    return Startup(user, database, minor, checked(passed), unknown)


def checked(values: dict[str, str]) -> dict[str, str]:
    """The parameters that go to the server; `options` taken apart. Raises ProtocolViolation."""
    if values.get("replication", "off").lower() not in ("off", "false", "no", "0"):
        raise ProtocolViolation("replication connections are not governed", hint="connect directly")
    settings = _options(values.get("options", ""))
    settings += [pair for pair in values.items() if pair[0] not in ("options", "replication")]
    passed: dict[str, str] = {}
    for name, value in settings:
        _check(name, value)
        passed[name.lower()] = value
    return passed | {"client_encoding": "UTF8", "standard_conforming_strings": "on"}


def _check(name: str, value: str) -> None:
    if name.lower() not in ALLOWED:
        raise ProtocolViolation(
            f"the start-up parameter {name} does not pass", hint="use SET after connecting"
        )
    encoding = "".join(letter for letter in value.lower() if letter.isalnum())
    if name.lower() == "client_encoding" and encoding not in ("utf8", "unicode", "auto"):
        raise ProtocolViolation(f"client_encoding {value} does not pass", hint="use UTF8")


def _options(text: str) -> list[tuple[str, str]]:
    """`-c name=value` and `--name=value`, as PostgreSQL's `options` has them."""
    words = _words(text)
    settings = []
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = words.pop(0)
        elif word.startswith(("-c", "--")) and len(word) > 2:
            word = word[2:]
        else:
            raise ProtocolViolation(f"the start-up option {word} does not pass")
        name, equals, value = word.partition("=")
        if not equals:
            raise ProtocolViolation(f"the start-up option {word} has no value")
        settings.append((name.replace("-", "_"), value))
    return settings


def _words(text: str) -> list[str]:
    """Split at white space; a backslash takes the next character as it is (pg_split_opts)."""
    words: list[str] = []
    word: str | None = None
    letters = iter(text)
    for letter in letters:
        if letter.isspace():
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + (next(letters, "") if letter == "\\" else letter)
    return words if word is None else [*words, word]


def startup_message(user: str, database: str, parameters: dict[str, str]) -> bytes:
    """The StartupMessage that dbgate sends to the server: 3.2, for its longer cancel key."""
    pairs = {"user": user, "database": database, **parameters}
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
