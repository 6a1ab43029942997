"""The Merkle tree over the log's lines, grown leaf by leaf. RFC 6962 section 2.1.

A leaf is the hash of 0x00 and the line without its line break; a node the hash of 0x01 and its two
children. Only the roots of the perfect subtrees are kept, one a set bit of the size: O(log n).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_FOLD: Final = 64
"""Leaves that wait for their inner nodes: made together, these cost half as much."""


def leaf_hash(line: bytes) -> bytes:
    """The hash of a leaf; `line` has no line break."""
    return sha256(LEAF + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(NODE + left + right).digest()


class Tree:
    """A tree that only grows. `size` is its number of leaves."""

    __slots__ = ("_leaves", "_subtrees", "size")

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        """Start empty, or where another stood. Raises ValueError when the two do not fit."""
        self.size = size
        self._leaves: list[bytes] = []
        self._subtrees = list(subtrees)
        if size < 0 or size.bit_count() != len(self._subtrees):
            raise ValueError(f"a tree of {size} leaves has not {len(self._subtrees)} subtrees")
        if any(len(subtree) != HASH_BYTES for subtree in self._subtrees):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    def append(self, leaf: bytes) -> None:
        """Add a leaf, by its hash."""
        leaves = self._leaves
        leaves.append(leaf)
        self.size += 1
        if len(leaves) >= _FOLD:
            self._fold()

    def subtrees(self) -> list[bytes]:
        """The roots of the perfect subtrees, from the largest (the oldest leaves) down."""
        self._fold()
        return list(self._subtrees)

    def root(self) -> bytes:
        """The root of all leaves so far."""
        self._fold()
        if not self._subtrees:
            return EMPTY_ROOT
        *others, root = self._subtrees
        for subtree in reversed(others):
            root = node_hash(subtree, root)
        return root

    def _fold(self) -> None:
        """Join the waiting leaves, level by level, as numbers are added: a pair is carried up."""
        nodes, rest = self._leaves, self.size - len(self._leaves)
        single: list[bytes] = []
        while nodes:
            if rest & 1:
                nodes = [self._subtrees.pop(), *nodes]
            if len(nodes) & 1:
                single.append(nodes.pop())
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [sha256(NODE + left + right).digest() for left, right in pairs]
            rest >>= 1
        self._subtrees += reversed(single)
        self._leaves = []
