"""Telling a client why there is no connection, as a server would: in answer to its first packet.

PostgreSQL documentation, "Start-up" and "SSL Session Encryption": a client that asked for encryption
takes an error for an attack and does not show it, so it gets its `N` first.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Final

from dbgate_cli.pgmessages import GSSENC_REQUEST, SSL_REQUEST, error_response
from dbgate_core.errors import DbgateError

PATIENCE_S: Final = 1.0
"""How long a client may take to say something; libpq speaks at once."""
MAX_FIRST_BYTES: Final = 10_000
"""PostgreSQL's own bound (MAX_STARTUP_PACKET_LENGTH)."""
REQUESTS: Final = frozenset({SSL_REQUEST, GSSENC_REQUEST})


def refuse(local: socket.socket, error: DbgateError) -> None:
    """Say the error, and hang up."""
    with contextlib.suppress(OSError):
        local.settimeout(PATIENCE_S)
        for _ in REQUESTS:
            if _first_packet(local) not in REQUESTS:
                break
            local.sendall(b"N")
        else:
            _first_packet(local)
        local.sendall(error_response(error.sqlstate, error.message, error.hint))
        local.shutdown(socket.SHUT_WR)  # what a reset would take back, this brings home
    local.close()


def _first_packet(local: socket.socket) -> int:
    """Read a packet without a type; give its code. 0 for what is none."""
    head = _exactly(local, 8)
    length, code = struct.unpack("!II", head) if len(head) == 8 else (0, 0)
    if not 8 <= length <= MAX_FIRST_BYTES:
        return 0
    _exactly(local, length - 8)
    return int(code)


def _exactly(local: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := local.recv(count - len(data))):
        data += more
    return data
