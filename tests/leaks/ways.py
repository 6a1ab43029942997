"""The ways in which a client can have its statements run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tests.differential.grammar import SYNC, Say, bind, close, describe, execute, parse, query
from tests.differential.peer import Peer
from tests.integration.gateway.raw import Message

NOTHING: Final = ((), 0)
"""No parameters, in text format."""
TEXT, BINARY = 0, 1
_FEW: Final = 2


def simple(step: str) -> Sequence[Sequence[Say]]:
    """One Query."""
    return [[query(step)]]


def described(step: str) -> Sequence[Sequence[Say]]:
    """Extended, text format, the portal described."""
    return [[parse("", step), bind("", "", NOTHING, TEXT), describe("P", ""), execute("", 0), SYNC]]


def repeated(step: str) -> Sequence[Sequence[Say]]:
    """A named statement, described once, run twice in binary format."""
    run = [bind("", "again", NOTHING, BINARY), execute("", 0), SYNC]
    return [
        [parse("again", step), describe("S", "again"), SYNC],
        run,
        run,
        [close("S", "again"), SYNC],
    ]


def undescribed(step: str) -> Sequence[Sequence[Say]]:
    """Nothing is described, and the rows are taken in parts."""
    run = [bind("part", "", NOTHING, TEXT), execute("part", _FEW), execute("part", 0)]
    return [[parse("", step), *run, close("P", "part"), SYNC]]


Way = Callable[[str], Sequence[Sequence[Say]]]
WAYS: Final[tuple[Way, ...]] = (simple, described, repeated, undescribed)


def converse(peer: Peer, steps: Sequence[str], way: Way) -> list[Message]:
    """Send the steps, each when the one before is answered; everything that came."""
    start = len(peer.seen)
    for step in steps:
        for messages in way(step):
            before = len(peer.seen)
            peer.send(b"".join(say.data for say in messages))
            while not peer.ended and (len(peer.seen) == before or peer.seen[-1][0] != "Z"):
                peer.wait(len(peer.seen) + 1)
    return peer.seen[start:]


def values(messages: Sequence[Message]) -> list[bytes]:
    """The values of the rows, those of COPY as they stand."""
    found = []
    for kind, body in messages:
        if kind == "d":
            found.append(body)
        elif kind == "D":
            found += _columns(body)
    return found


def _columns(body: bytes) -> list[bytes]:
    found, position = [], 2
    while position < len(body):
        size = int.from_bytes(body[position : position + 4], "big", signed=True)
        position += 4
        found.append(body[position : position + max(size, 0)])
        position += max(size, 0)
    return found
