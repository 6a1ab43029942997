"""What psql sends of a script: a server that writes down each text and says that all went well.

So the texts are split and filled in by psql itself, and no database is needed.
"""

from __future__ import annotations

import os
import re
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from dbgate_core.errors import DbgateError
from dbgate_core.pgwire.messages import message
from dbgate_core.sql.parser import parse
from dbgate_core.sql.tree import kind

PSQL_S = 120.0
POLL_S = 0.01
_READY = message(b"Z", b"I")
_GREETING = (
    message(b"R", struct.pack("!I", 0))
    + message(b"S", b"server_version\x0015.0\0")
    + message(b"S", b"client_encoding\0UTF8\0")
    + message(b"S", b"standard_conforming_strings\0on\0")
    + _READY
)
_DONE = message(b"C", b"SELECT 0\0") + _READY
_NO = message(b"E", b"SERROR\0C0A000\0Mno\0\0") + _READY
_UNSET = re.compile(r""":['"]?([A-Za-z]\w*)""")
_COPY_IN = message(b"G", struct.pack("!bhh", 0, 1, 0))


class Recorder(socketserver.ThreadingTCPServer):
    """The server; `texts` are what it was sent, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.texts: list[str] = []


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer until the client ends."""
        length, code = struct.unpack("!II", self.rfile.read(8))
        self.rfile.read(length - 8)
        if code >> 16 != 3:
            return
        self.wfile.write(_GREETING)
        while head := self.rfile.read(5):
            body = self.rfile.read(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"X":
                return
            self._answer(head[:1], body)

    def _answer(self, tag: bytes, body: bytes) -> None:
        texts = cast(Recorder, self.server).texts
        if tag == b"Q":
            texts.append(_text(body))
            answer = _COPY_IN if _copies_in(texts[-1]) else _DONE
        elif tag == b"P":
            texts.append(_text(body[body.index(b"\0") + 1 :]))
            return
        else:
            answer = {b"c": _DONE, b"f": _DONE, b"S": _NO}.get(tag, b"")
        self.wfile.write(answer)


def _text(body: bytes) -> str:
    return body[: body.index(b"\0")].decode("utf-8", "replace")


def _copies_in(text: str) -> bool:
    """Whether psql goes on with data."""
    try:
        statements = [raw.stmt for raw in parse(text).stmts]
    except DbgateError:
        return False
    copies = [each.copy_stmt for each in statements if kind(each) == "copy_stmt"]
    return any(copy.is_from and not copy.filename for copy in copies)


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A server on a free port."""
    with Recorder() as server:
        threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        yield server
        server.shutdown()


def texts_of(script: Path) -> list[str]:
    """What psql sends when it reads the script; `1` for what its variables would be of a database."""
    texts = _sent(script, frozenset())
    unset = frozenset(name for text in texts if not _parses(text) for name in _UNSET.findall(text))
    return _sent(script, unset) if unset else texts


def _parses(text: str) -> bool:
    try:
        parse(text)
    except DbgateError:
        return False
    return True


def _sent(script: Path, variables: frozenset[str]) -> list[str]:
    with recorder() as server:
        _run(script, server.server_address[1], variables)
        return server.texts


def _run(script: Path, port: int, variables: frozenset[str]) -> None:
    folder = str(script.parent.parent)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "PGSSLMODE": "disable",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": "regress",
        "PGDATABASE": "regress",
        "PG_ABS_SRCDIR": folder,
        "PG_ABS_BUILDDIR": folder,
        "PG_LIBDIR": folder,
        "PG_DLSUFFIX": ".so",
        "PGGSSENCMODE": "disable",
    }
    subprocess.run(
        ["psql", "-X", "-q", "-f", str(script), *(f"--set={name}=1" for name in variables)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PSQL_S,
        check=False,
    )
