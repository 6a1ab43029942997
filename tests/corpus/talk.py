"""A client that sends the steps of a case and keeps every message that comes back."""

from __future__ import annotations

import struct

from dbgate_core.pgwire.messages import decode_fields, message
from tests.corpus import wire
from tests.differential.peer import Peer
from tests.integration.gateway.raw import Message


class Talk:
    """One connection: straight, or through dbgate."""

    def __init__(
        self, peer: Peer, data: bytes = b"", completed: dict[str, int] | None = None
    ) -> None:
        """`completed` is told how many statements each text sent by Query was to the server."""
        self.peer = peer
        self.data = data
        self._completed = {} if completed is None else completed

    def close(self) -> None:
        self.peer.close()

    @property
    def alive(self) -> bool:
        return not self.peer.ended

    def say(self, step: str, form: str = "simple", values: tuple[str, ...] = ()) -> list[Message]:
        """Send one step; everything up to ReadyForQuery, or to the end of the connection.

        A COPY FROM STDIN goes by Query: behind an Execute the data could not wait for its answer.
        """
        if self.peer.ended:
            return []
        if form == "wire":
            return self._answers(wire.messages(step))
        if form == "extended" and "from stdin" not in step.lower():
            return self._answers(_extended(step, values))
        answers = self._answers(message(b"Q", step.encode() + b"\0"))
        if not errors(answers):
            self._completed[step] = sum(kind == "C" for kind, _ in answers)
        return answers

    def rows(self, query: str) -> list[list[str]]:
        """The rows of a query, as text."""
        return [_values(body) for kind, body in self.say(query) if kind == "D"]

    def _answers(self, data: bytes) -> list[Message]:
        self.peer.seen = []
        self.peer.send(data)
        fed = 0
        while not self.peer.ended:
            seen = self.peer.seen
            if seen and seen[-1][0] == "Z":
                break
            if sum(kind == "G" for kind, _ in seen) > fed:
                fed += 1
                feed = message(b"d", self.data) if self.data else b""
                self.peer.send(feed + message(b"c", b""))
            before = len(seen)
            self.peer.wait(before + 1)
            if len(self.peer.seen) == before and not self.peer.ended:
                raise TimeoutError(f"no answer to {data[:200]!r}")
        return self.peer.seen


def _extended(text: str, values: tuple[str, ...]) -> bytes:
    """Parse, Bind, Describe, Execute, Sync: without names, in text format."""
    given = values if "$1" in text else ()
    bound = b"".join(struct.pack("!I", len(v.encode())) + v.encode() for v in given)
    return (
        message(b"P", b"\0" + text.encode() + b"\0\0\0")
        + message(b"B", b"\0\0\0\0" + struct.pack("!H", len(given)) + bound + b"\0\0")
        + message(b"D", b"P\0")
        + message(b"E", b"\0\0\0\0\0")
        + message(b"S", b"")
    )


def _values(body: bytes) -> list[str]:
    """The columns of a DataRow in text format; NULL is ""."""
    values, position = [], 2
    for _ in range(int.from_bytes(body[:2], "big")):
        length = int.from_bytes(body[position : position + 4], "big", signed=True)
        position += 4
        values.append(body[position : position + max(length, 0)].decode("utf-8", "replace"))
        position += max(length, 0)
    return values


def errors(answers: list[Message]) -> list[dict[str, str]]:
    """The fields of the ErrorResponses."""
    return [decode_fields(body) for kind, body in answers if kind == "E"]
