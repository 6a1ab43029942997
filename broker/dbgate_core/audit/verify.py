"""Verification: one pass over the lines of all segments, against the signed checkpoints.

What is checked, each with the index at which it fails:

1. segments are numbered without a gap, and each begins with its opening entry;
2. an opening states the tree as it stood and, exactly, the torn bytes that were set aside;
3. each line is an entry with the next index;
4. each line holds the hash of the line before;
5. each kept checkpoint is signed by the log's key (`note.opened`), and in order of size;
6. at each checkpoint's size, kept or given from outside, the root is the one that was signed;
7. no checkpoint is of more entries than there are.

Memory is O(log n): lines and checkpoints are streamed side by side. Entries after the newest
checkpoint are chained only: they are reported as not yet sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from dbgate_core.audit import canonical, note
from dbgate_core.audit.canonical import OPENINGS, Torn
from dbgate_core.audit.chain import Chain
from dbgate_core.audit.merkle import Tree
from dbgate_core.audit.note import Checkpoint, VerificationKey
from dbgate_core.errors import VerificationFailed

NEVER: Final = 1 << 62
"""The size of a checkpoint that does not come."""
HINT: Final = (
    "the log was altered after it was signed: keep this copy, and find who could write to it"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: `entries` under `checkpoints` signatures of the log `origin`.

    `unsealed` entries after them are in order, and not signed yet. `torn_bytes` were set aside
    by crashes, all of them declared. `root` is the root of the newest checkpoint.
    """

    origin: str
    entries: int
    checkpoints: int
    unsealed: int
    segments: int
    torn_bytes: int
    root: bytes


class Verifier:
    """Takes lines in order; raises VerificationFailed at the first that is wrong."""

    def __init__(
        self,
        key: VerificationKey,
        notes: Iterable[bytes] = (),
        expected: Sequence[Checkpoint] = (),
    ) -> None:
        """`notes` are the kept checkpoints, oldest first; `expected` come from outside the log."""
        self.chain = Chain()
        self.torn: list[Torn] = []
        self.checkpoints = 0
        self.sealed: Checkpoint | None = None
        self.segment_number = 0
        self.torn_bytes = 0
        self._key = key
        self._notes = iter(notes)
        self._expected = sorted(expected, key=lambda c: c.size, reverse=True)
        self._kept = self._next_kept()
        self._due = 0
        self._reach()

    def resume(self, line: bytes) -> None:
        """Begin at a later segment, trusting its opening: the next checkpoint's root proves it.

        Raises VerificationFailed when `line` is no opening.
        """
        found = self._opening(line, 0)
        try:
            self.chain = Chain(Tree(found.index, map(bytes.fromhex, found.tree)), found.prev)
        except ValueError as exc:
            raise VerificationFailed(f"entry {found.index}: {exc}", hint=HINT) from exc
        self.torn = list(found.torn)
        self.segment_number = found.segment - 1
        self._reach()

    def segment(self, number: int, lines: Iterable[bytes]) -> None:
        """Take a segment's lines, each with its line break; only the last one may be torn."""
        if number != self.segment_number + 1:
            raise VerificationFailed(
                f"segment {self.segment_number + 1} is missing: segment {number} follows"
                f" {self.segment_number}",
                hint=HINT,
            )
        self.segment_number = number
        found = iter(lines)
        for line in found:
            if not line.endswith(b"\n"):
                return self._tear(line, found)
            self._open(line)
            break
        chain, take = self.chain, self._take
        for line in found:
            if not line.endswith(b"\n"):
                return self._tear(line, found)
            take(line)
            if chain.tree.size == self._due:
                self._reach()
        return None

    def finish(self) -> Report:
        """Check what can only be known at the end, and say what was verified."""
        size = self.chain.tree.size
        if self._due != NEVER:
            raise VerificationFailed(
                f"the log ends before entry {size}, but a checkpoint of {self._due} entries was"
                f" signed: {self._due - size} entries are missing",
                hint=HINT,
            )
        if self.sealed is None:
            raise VerificationFailed("there is no checkpoint: nothing of this log is signed")
        return Report(
            origin=self._key.name,
            entries=self.sealed.size,
            checkpoints=self.checkpoints,
            unsealed=size - self.sealed.size,
            segments=self.segment_number,
            torn_bytes=self.torn_bytes + sum(torn.size_bytes for torn in self.torn),
            root=self.sealed.root,
        )

    def _open(self, line: bytes) -> None:
        """A segment's first line: checks 1 and 2, then as any other."""
        found = self._opening(line, self.chain.tree.size)
        here = f"entry {found.index}, which opens segment {self.segment_number}:"
        if found.segment != self.segment_number:
            raise VerificationFailed(f"{here} it was written for {found.segment}", hint=HINT)
        expected = [subtree.hex() for subtree in self.chain.tree.subtrees()]
        if found.tree != expected:
            raise VerificationFailed(
                f"{here} expected the tree {expected}, found {found.tree}", hint=HINT
            )
        if found.torn != self.torn:
            raise VerificationFailed(
                f"{here} expected {self.torn or 'no torn bytes'} before it,"
                f" found {found.torn or 'none'}",
                hint=HINT,
            )
        self.torn_bytes += sum(torn.size_bytes for torn in self.torn)
        self.torn = []
        self._link(canonical.Header(found.index, found.kind, found.prev), line)
        if self.chain.tree.size == self._due:
            self._reach()

    def _take(self, line: bytes) -> None:
        """Any other line: check 3, then 4."""
        try:
            header = canonical.header(line)
        except ValueError as exc:
            raise self._no_entry(exc) from exc
        if header.kind in OPENINGS:
            raise VerificationFailed(
                f"entry {header.index}: {header.kind} is not at the beginning of a segment",
                hint=HINT,
            )
        self._link(header, line)

    def _link(self, header: canonical.Header, line: bytes) -> None:
        if header.index != self.chain.tree.size:
            raise VerificationFailed(
                f"expected entry {self.chain.tree.size}, found entry {header.index}", hint=HINT
            )
        if header.prev != self.chain.prev:
            raise VerificationFailed(
                f"entry {header.index}: the line before it was altered: expected its hash"
                f" {header.prev}, found {self.chain.prev}",
                hint=HINT,
            )
        self.chain.take(line)

    def _tear(self, rest: bytes, lines: Iterator[bytes]) -> None:
        """Bytes without a line break: only at the end of a segment, and short of a line's limit."""
        if len(rest) > canonical.MAX_LINE_BYTES or next(lines, None) is not None:
            raise VerificationFailed(
                f"entry {self.chain.tree.size}: the line is over {canonical.MAX_LINE_BYTES} bytes",
                hint=HINT,
            )
        self.torn.append(Torn(self.segment_number, len(rest), sha256(rest).hexdigest()))

    def _reach(self) -> None:
        """Check 6, for every checkpoint of this size; then find the next one."""
        size = self.chain.tree.size
        while self._kept is not None and self._kept.size <= size:
            self._compare(self._kept)
            self._kept = self._next_kept()
        while self._expected and self._expected[-1].size <= size:
            self._compare(self._expected.pop())
        kept = NEVER if self._kept is None else self._kept.size
        self._due = min(kept, self._expected[-1].size if self._expected else NEVER)

    def _compare(self, checkpoint: Checkpoint) -> None:
        size, root = self.chain.tree.size, self.chain.tree.root()
        if checkpoint.size < size:
            raise VerificationFailed(
                f"a checkpoint of {checkpoint.size} entries comes after one of {size}", hint=HINT
            )
        if checkpoint.root != root:
            raise VerificationFailed(
                f"the first {size} entries are not those that were signed: expected the root"
                f" {checkpoint.root.hex()}, found {root.hex()}",
                hint=HINT,
            )
        self.sealed = checkpoint

    def _next_kept(self) -> Checkpoint | None:
        found = next(self._notes, None)
        if found is None:
            return None
        self.checkpoints += 1
        return note.opened(found, self._key)

    def _opening(self, line: bytes, index: int) -> canonical.Opening:
        try:
            found = canonical.opening(line)
        except ValueError as exc:
            raise VerificationFailed(
                f"entry {index}: the segment does not begin with an opening entry: {exc}", hint=HINT
            ) from exc
        if found.kind not in OPENINGS:
            raise VerificationFailed(
                f"entry {found.index}: the segment begins with {found.kind[:40]!r}", hint=HINT
            )
        return found

    def _no_entry(self, why: ValueError) -> VerificationFailed:
        return VerificationFailed(
            f"entry {self.chain.tree.size}: the line is not an entry: {why}", hint=HINT
        )
