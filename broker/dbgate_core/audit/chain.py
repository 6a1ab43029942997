"""The chain that the log grows by: each line holds the hash of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from dbgate_core.audit import canonical
from dbgate_core.audit.form import MAX_CHARS
from dbgate_core.audit.merkle import LEAF, Tree

NO_LINE: Final = "0" * 64
"""`prev` of the first entry."""


class Chain:
    """Where the log stands. `prev` is the hex SHA-256 of the last line without its line break."""

    __slots__ = ("prev", "tree")

    def __init__(self, tree: Tree | None = None, prev: str = NO_LINE) -> None:
        self.tree = Tree() if tree is None else tree
        self.prev = prev

    def lines(self, kind: str, time: str, fields: Mapping[str, object]) -> list[bytes]:
        """The next lines, not yet taken: one, or more when `text` is long.

        The first then says in `text_parts` how many there are and in `text_sha256` what all parts
        joined hash to; the others are `statement_text` entries that name the first by `continues`.
        Raises ValueError or TypeError for what is no JSON value.
        """
        text = fields.get("text")
        if not isinstance(text, str) or len(text) <= MAX_CHARS:
            own = {"index": self.tree.size, "kind": kind, "prev": self.prev, "time": time}
            return [canonical.encode_all([{**fields, **own}])]
        first, *more = canonical.text_parts(text)
        if not more:
            return [self._line(0, self.prev, kind, time, fields)]
        whole = {"text_parts": 1 + len(more), "text_sha256": sha256(text.encode()).hexdigest()}
        lines = [self._line(0, self.prev, kind, time, {**fields, "text": first, **whole})]
        for number, part in enumerate(more, start=1):
            rest = {"continues": self.tree.size, "part": number + 1, "text": part}
            prev = sha256(lines[-1][:-1]).hexdigest()
            lines.append(self._line(number, prev, canonical.STATEMENT_TEXT, time, rest))
        return lines

    def opening(self, time: str, segment: int, torn: list[canonical.Torn]) -> bytes:
        """The first line of a segment."""
        kind = canonical.LOG_RECOVERED if torn else canonical.SEGMENT_OPENED
        tree = [subtree.hex() for subtree in self.tree.subtrees()]
        fields: dict[str, object] = {"segment": segment, "tree": tree}
        if torn:
            fields["torn"] = torn
        return self._line(0, self.prev, kind, time, fields)

    def take(self, line: bytes) -> None:
        """Go on to the next line: `line` was written, its line break with it."""
        bare = line[:-1]
        self.prev = sha256(bare).hexdigest()
        self.tree.append(sha256(LEAF + bare).digest())

    def _line(
        self, ahead: int, prev: str, kind: str, time: str, fields: Mapping[str, object]
    ) -> bytes:
        index = self.tree.size + ahead
        return canonical.encode(
            {**fields, "index": index, "kind": kind, "prev": prev, "time": time}
        )
