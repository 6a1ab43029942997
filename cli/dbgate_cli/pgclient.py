"""A small PostgreSQL client for `dbgate query`: one statement text, its results, over the tunnel.

The simple query protocol in text format (PostgreSQL documentation, "Message Flow"). It speaks
straight through the tunnel, without a listener or a library, so the light install can query.
"""

from __future__ import annotations

import secrets
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dbgate_cli import console, pgmessages
from dbgate_cli.dialing import Dialer
from dbgate_cli.proxy import Target
from dbgate_cli.scram import MECHANISM, ScramClient
from dbgate_core.errors import DbgateError, Denied, NotSignedIn, ProtocolViolation, Unreachable
from dbgate_core.secret import Secret

START_TIMEOUT_S: Final = 30.0
"""The gateway takes the lease and reads the catalog before the first ReadyForQuery."""
RULE: Final = "rule: "
"""How the gateway's DETAIL names the rules that denied a statement."""
MAX_MESSAGE_BYTES: Final = 256 * 1024 * 1024
"""One row or COPY message; a bigger one is for psql."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A result set begins: the names and type OIDs of its columns."""

    columns: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row in text format, None for NULL."""

    values: list[bytes | None]


@dataclass(frozen=True, slots=True)
class CopyData:
    """Bytes of a COPY TO STDOUT."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """A statement ended well: its command tag."""

    tag: str


Event = Columns | Row | CopyData | Done


class PgClient:
    """An authenticated connection to one session's database."""

    def __init__(self, target: Target, tls: ssl.SSLContext) -> None:
        self._dialer = Dialer(target, tls)
        self._socket = self._dialer.dial()
        self._file = self._socket.makefile("rb", buffering=64 * 1024)
        self._key = b""

    def close(self) -> None:
        """Say Terminate and hang up."""
        try:
            self._socket.sendall(pgmessages.message(b"X"))
        except OSError:
            pass
        finally:
            self._file.close()
            self._socket.close()

    def start(self, username: str, password: Secret, dbname: str) -> None:
        """Log in. Only SCRAM-SHA-256 is taken, so the password itself never leaves.

        Raises a DbgateError of the class that the server's SQLSTATE stands for.
        """
        self._socket.settimeout(START_TIMEOUT_S)
        self._send(
            pgmessages.startup(
                user=username,
                database=dbname,
                application_name="dbgate query",
                client_encoding="UTF8",
            )
        )
        scram = ScramClient(password, secrets.token_urlsafe(18))
        verified = False
        while True:
            kind, body = self._read()
            if kind == b"R":
                verified = self._authenticate(scram, body) or verified
            elif kind == b"K":
                self._key = body
            elif kind == b"Z":
                break
            elif kind not in b"SN":
                raise ProtocolViolation(f"the gateway sent {kind!r} during the startup")
        if not verified:
            raise ProtocolViolation("the gateway did not ask for SCRAM-SHA-256")
        self._socket.settimeout(None)

    def _authenticate(self, scram: ScramClient, body: bytes) -> bool:
        """One step of the SASL exchange; true once the server has proved itself."""
        code, rest = pgmessages.authentication(body)
        if code == 10 and MECHANISM.encode() in rest.split(b"\0"):
            first = scram.first()
            head = MECHANISM.encode() + b"\0" + struct.pack("!I", len(first))
            self._send(pgmessages.message(b"p", head + first))
        elif code == 11:
            self._send(pgmessages.message(b"p", scram.final(rest)))
        elif code == 12:
            scram.verify(rest)
            return True
        elif code != 0:
            raise ProtocolViolation(f"the gateway asks for authentication method {code}")
        return False

    def run(self, text: str) -> Iterator[Event]:
        """Run a statement text; give its results as they come.

        Raises, after the server is ready again, the first error of the text. Notices go to
        standard error.
        """
        self._send(pgmessages.message(b"Q", text.encode() + b"\0"))
        failed: DbgateError | None = None
        while True:
            kind, body = self._read(raising=False)
            match kind:
                case b"T":
                    yield Columns(pgmessages.columns(body))
                case b"D":
                    yield Row(pgmessages.row(body))
                case b"d":
                    yield CopyData(body)
                case b"C":
                    yield Done(body.rstrip(b"\0").decode(errors="replace"))
                case b"E":
                    failed = failed or server_error(body)
                    if pgmessages.fields(body).get("V") == "FATAL":
                        raise failed
                case b"G":
                    self._send(pgmessages.message(b"f", b"dbgate query has no input to copy\0"))
                case b"Z":
                    break
                case b"N" | b"A" | b"S" | b"H" | b"c" | b"I":
                    pass
                case _:
                    raise ProtocolViolation(f"the gateway sent {kind!r} in a simple query")
        if failed is not None:
            raise failed

    def cancel(self) -> None:
        """Ask, on a connection of its own, to cancel what runs (best effort, as in libpq)."""
        try:
            with self._dialer.dial() as other:
                other.sendall(pgmessages.cancel_request(self._key))
                other.recv(1)
        except (OSError, DbgateError):
            return

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as exc:
            raise _lost(exc) from exc

    def _read(self, *, raising: bool = True) -> tuple[bytes, bytes]:
        try:
            head = self._file.read(5)
            if len(head) < 5:
                raise ConnectionError("closed")
            (length,) = struct.unpack_from("!I", head, 1)
            if not 4 <= length <= MAX_MESSAGE_BYTES:
                raise ProtocolViolation(f"the gateway sent a message of {length} bytes")
            body = self._file.read(length - 4)
            if len(body) < length - 4:
                raise ConnectionError("closed")
        except OSError as exc:
            raise _lost(exc) from exc
        if head[:1] == b"E" and raising:
            raise server_error(body)
        if head[:1] == b"N":
            found = pgmessages.fields(body)
            console.note(f"{found.get('S', 'NOTICE').lower()}: {found.get('M', '')}")
            if hint := found.get("H", ""):
                console.note(f"hint: {hint}")
        return head[:1], body


def server_error(body: bytes) -> DbgateError:
    """An ErrorResponse as the error whose exit code fits its SQLSTATE.

    Only dbgate's own 42501 is a denial: PostgreSQL's names the routine that raised it. Where a
    rule denied, it stands in DETAIL.
    """
    found = pgmessages.fields(body)
    sqlstate, detail = found.get("C", "XX000"), found.get("D", "")
    text, rule = f"{found.get('M', 'the server failed')} (SQLSTATE {sqlstate})", ""
    kind: type[DbgateError] = DbgateError
    if sqlstate == "42501" and "R" not in found:
        kind = Denied
        rule = detail.removeprefix(RULE) if detail.startswith(RULE) else ""
    elif sqlstate.startswith("28"):
        kind = NotSignedIn
    elif sqlstate.startswith(("08", "57P", "53")):
        kind = Unreachable
    if detail and not rule:
        text += f": {detail}"
    return kind(text, hint=found.get("H", ""), code=f"sql.{sqlstate}", rule=rule, sqlstate=sqlstate)


def _lost(exc: OSError) -> Unreachable:
    return Unreachable(
        f"the connection is lost: {exc.strerror or exc}", hint="dbgate sessions list"
    )
