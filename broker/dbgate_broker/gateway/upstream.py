"""The broker's own connection to PostgreSQL: TLS, SCRAM, start-up, and CancelRequest.

What a server may not talk us out of: verified TLS (unless the configuration says `disable`), and a
SCRAM exchange in which the server, too, proved that it knows the password. AuthenticationOk before
that, a cleartext or MD5 request, or bytes before the TLS handshake end the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.limits import MAX_AUTH_BYTES, MAX_GREETING_BYTES
from dbgate_broker.gateway.proof import Proof
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.gateway.wire import Gone, Wire, tune
from dbgate_core.errors import DbgateError, ProtocolViolation, Unreachable
from dbgate_core.pgwire import startup
from dbgate_core.pgwire.backend import REQUIRED
from dbgate_core.pgwire.messages import cstring, decode_fields, message

_PASSED_ON = ("53", "57", "3D", "0A", "42", "58")
"""Classes of SQLSTATE of a server that refuses a connection which the client may see as they are:
out of resources, shutting down or starting up, no such database, no right to connect."""


@dataclass(slots=True)
class Upstream:
    """A connection whose server is ready: its key, and what it said of its parameters."""

    wire: Wire
    pid: int
    secret: bytes
    parameters: list[tuple[str, str]] = field(default_factory=list)


async def dial(
    database: DatabaseConfig, credentials: Credentials, parameters: dict[str, str]
) -> Upstream:
    """Connect and log in as the ephemeral user. The caller sets the deadline.

    Raises Unreachable with 08001 (no connection), 08004 (refused) or 08006 (broken off), or the
    server's own SQLSTATE where that tells the client what to do.
    """
    wire = await _connect(database)
    try:
        wire.write(startup.startup_message(credentials.username, database.dbname, parameters))
        await _authenticate(wire, database, credentials)
        return await _greeting(wire, database)
    except Gone as exc:
        raise _broken(database, "closed the connection during the log-in") from exc
    except ProtocolViolation as exc:
        wire.abort()
        raise _broken(database, f"broke the protocol: {exc.message}") from exc
    except BaseException:
        wire.abort()
        raise


async def cancel(database: DatabaseConfig, pid: int, secret: bytes) -> None:
    """Ask the server to cancel what a backend runs; return once it took note. Raises Unreachable."""
    wire = await _connect(database)
    try:
        wire.write(startup.cancel_request(pid, secret))
        await wire.read(1)
    except Gone:
        return
    finally:
        wire.abort()


async def _connect(database: DatabaseConfig) -> Wire:
    loop = asyncio.get_running_loop()
    try:
        transport, wire = await loop.create_connection(Wire, database.host, database.port)
    except OSError as exc:
        raise _no_connection(database, exc.strerror or "no connection") from exc
    tune(transport)
    if database.tls == "disable":
        return wire
    try:
        await _encrypt(wire, database)
    except (OSError, Gone) as exc:  # ssl.SSLError is an OSError
        wire.abort()
        reason = getattr(exc, "verify_message", "") or "the handshake failed"
        raise _no_connection(database, f"TLS: {reason}") from exc
    except BaseException:
        wire.abort()
        raise
    return wire


async def _encrypt(wire: Wire, database: DatabaseConfig) -> None:
    """SSLRequest, `S`, handshake. Bytes behind the `S` were injected: they are refused."""
    wire.write(startup.ssl_request())
    if await wire.read(1) != b"S":
        raise _no_connection(database, "it offers no TLS", 'set tls = "disable" only on loopback')
    if wire.waiting_bytes or wire.transport is None:
        raise _no_connection(database, "bytes before the TLS handshake")
    transport = await asyncio.get_running_loop().start_tls(
        wire.transport, wire, tls_context(database.ca_file), server_hostname=database.host
    )
    if transport is None:
        raise Gone
    wire.adopt(transport)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The verify-full context for a database's authority. Raises Unreachable when it cannot be read."""
    try:
        changed_ns = ca_file.stat().st_mtime_ns if ca_file else 0
        return _tls_context(ca_file, changed_ns)
    except (OSError, ssl.SSLError) as exc:
        raise Unreachable(
            f"the certificate authority {ca_file} cannot be read",
            hint="see ca_file of the database",
        ) from exc


@lru_cache(maxsize=64)
def _tls_context(ca_file: Path | None, changed_ns: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _authenticate(wire: Wire, database: DatabaseConfig, credentials: Credentials) -> None:
    proof = Proof(credentials, wire.transport, tls=database.tls != "disable")
    first = True
    while not proof.accepted:
        kind, body = await wire.read_message(MAX_AUTH_BYTES)
        if kind == "v" and first:  # a server older than 18
            startup.negotiated(body)
        elif kind == "R":
            answer = await proof.answer(body)
            if answer:
                wire.write(message(b"p", answer))
        elif kind == "E":
            raise _refused(database, body)
        elif kind != "N":
            raise ProtocolViolation(f"a message {kind!r} in the log-in")
        first = False


async def _greeting(wire: Wire, database: DatabaseConfig) -> Upstream:
    """What follows AuthenticationOk, up to ReadyForQuery. Notices are left out: nobody judged them."""
    upstream = Upstream(wire, 0, b"")
    left = MAX_GREETING_BYTES
    while True:
        kind, body = await wire.read_message(left)
        left -= len(body) + 5
        if kind == "S":
            name, position = cstring(body, 0)
            upstream.parameters.append((name, cstring(body, position)[0]))
        elif kind == "K":
            upstream.pid, upstream.secret = startup.backend_key(body)
        elif kind == "E":
            raise _refused(database, body)
        elif kind == "Z":
            break
        elif kind != "N":
            raise ProtocolViolation(f"a message {kind!r} before ReadyForQuery")
    said = dict(upstream.parameters)
    for name, value in REQUIRED.items():
        if said.get(name) != value:
            raise ProtocolViolation(f"{name} is {said.get(name, 'not said')}, it must be {value}")
    return upstream


def _refused(database: DatabaseConfig, body: bytes) -> DbgateError:
    fields = decode_fields(body)
    sqlstate = fields.get("C", "")
    if sqlstate.startswith("28"):
        return Unreachable(
            f"the database {database.name} refused the session's user ({sqlstate})",
            hint="the lease may have ended: open another session",
            sqlstate="08004",
        )
    if sqlstate.startswith(_PASSED_ON):
        return Unreachable(
            f"the database {database.name}: {fields.get('M', 'refused the connection')}",
            hint=fields.get("H", ""),
            sqlstate=sqlstate,
        )
    return Unreachable(
        f"the database {database.name} refused the connection ({sqlstate})", sqlstate="08004"
    )


def _no_connection(database: DatabaseConfig, reason: str, hint: str = "") -> Unreachable:
    where = f"{database.host}:{database.port}"
    return Unreachable(
        f"the database {database.name} at {where} cannot be reached: {reason}",
        hint=hint or "is it running, and is its configuration right?",
        sqlstate="08001",
    )


def _broken(database: DatabaseConfig, what: str) -> Unreachable:
    return Unreachable(f"the database {database.name} {what}", hint="try again")
