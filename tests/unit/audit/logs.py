"""Small logs in memory, signed for real, to be altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dbgate_core.audit import canonical, note
from dbgate_core.audit.canonical import Torn
from dbgate_core.audit.chain import Chain
from dbgate_core.audit.note import Checkpoint, VerificationKey
from dbgate_core.audit.verify import Report, Verifier

TIME = "2026-01-31T12:00:00.000000Z"


class Signing:
    """A log's key pair."""

    def __init__(self, name: str = "dbgate") -> None:
        self.private = Ed25519PrivateKey.generate()
        self.key = VerificationKey(name, self.private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> bytes:
        return note.signed(checkpoint, self.key, self.private.sign(checkpoint.text()))


@dataclass
class Log:
    """A log that grows as the broker's does; its parts may then be altered."""

    signing: Signing = field(default_factory=Signing)
    chain: Chain = field(default_factory=Chain)
    segments: list[list[bytes]] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    torn: list[Torn] = field(default_factory=list)

    def open_segment(self) -> None:
        self.segments.append([])
        self._take(self.chain.opening(TIME, len(self.segments), self.torn))
        self.torn = []

    def append(self, kind: str = "statement", **fields: object) -> None:
        for line in self.chain.lines(kind, TIME, fields):
            self._take(line)

    def tear(self, torn: Torn, rest: bytes) -> None:
        self.segments[-1].append(rest)
        self.torn.append(torn)

    def head(self) -> Checkpoint:
        return Checkpoint(self.signing.key.name, self.chain.tree.size, self.chain.tree.root())

    def seal(self) -> None:
        self.notes.append(self.signing.sign(self.head()))

    def verify(
        self, expected: Sequence[Checkpoint] = (), key: VerificationKey | None = None
    ) -> Report:
        verifier = Verifier(key or self.signing.key, self.notes, expected)
        for number, lines in enumerate(self.segments, start=1):
            verifier.segment(number, lines)
        return verifier.finish()

    def _take(self, line: bytes) -> None:
        self.segments[-1].append(line)
        self.chain.take(line)


def sealed_log(entries: int = 20, every: int = 5, segments: int = 2) -> Log:
    """`entries` statements in some segments, a checkpoint after every `every` of them."""
    log = Log()
    log.seal()
    for number in range(entries):
        if number % -(-entries // segments) == 0:
            log.open_segment()
        log.append(text=f"select {number}", verdict="allow")
        if (number + 1) % every == 0:
            log.seal()
    return log


def rewritten(lines: list[bytes], start: int) -> list[bytes]:
    """What someone without the key can do: chain the lines anew from `start` on."""
    chain = Chain()
    found: list[bytes] = []
    for index, line in enumerate(lines):
        if index >= start:
            entry = {**canonical.entry(line), "prev": chain.prev, "index": index}
            line = canonical.encode(entry)
        chain.take(line)
        found.append(line)
    return found
