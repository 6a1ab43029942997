"""HTTP CONNECT to the gateway (RFC 9110, section 9.3.6), without I/O: bytes in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.secret import Secret

MAX_REPLY_BYTES: Final = 64 * 1024
"""The most that the gateway's answer before the 200's end, or a refusal's body, may hold."""
_SAFE = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")
_LENGTH = re.compile(rb"\d{1,9}")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a tunnel leads: the gateway, and the session whose token opens it."""

    host: str
    port: int
    database: str
    session_id: str
    token: Secret

    def head(self) -> bytes:
        """The request, whole. Raises ProtocolViolation for a value that could forge a header."""
        values = (self.database, self.session_id, self.token.expose())
        if not all(_SAFE.fullmatch(value) for value in values):
            raise ProtocolViolation("the broker's session has characters that no header may hold")
        authority = f"{self.database}:5432"
        return (
            f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
            f"Proxy-Authorization: Bearer {self.token.expose()}\r\n"
            f"Dbgate-Session: {self.session_id}\r\n\r\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway's answer. With status 200 `rest` is the tunnel's first bytes, else the body."""

    status: int
    rest: bytes


class AnswerReader:
    """Reads one answer, however its bytes are cut."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes, *, end: bool = False) -> Answer | None:
        """Take bytes; give the answer once it is whole. `end`: the gateway sends no more.

        Raises ProtocolViolation for what is no HTTP answer or is too large.
        """
        self._data += data
        if len(self._data) > MAX_REPLY_BYTES:
            raise ProtocolViolation("the gateway's answer is too large")
        head, mark, rest = bytes(self._data).partition(b"\r\n\r\n")
        if not mark:
            if end:
                raise ProtocolViolation("the gateway closed the connection before it answered")
            return None
        lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(lines[0])
        if status is None:
            raise ProtocolViolation("the gateway does not speak HTTP: is it a dbgate gateway?")
        if status[1] == b"200":
            return Answer(200, rest)
        length = _content_length(lines[1:])
        if not end and (length is None or len(rest) < length):
            return None
        return Answer(int(status[1]), rest[:length])


def _content_length(lines: list[bytes]) -> int | None:
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and _LENGTH.fullmatch(value.strip()):
            return int(value)
    return None
