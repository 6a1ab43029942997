"""Small readers of libpg_query's tree, so that lineage reads like SQL and not like protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

# A protobuf message. Its attributes are those of pg_query.proto, which has no usable stubs for
# walking: `WhichOneof` names the kind at run time, which no static type follows.
Node: TypeAlias = Any

_LEAVES: Final = frozenset({"", "string", "integer", "float", "boolean", "bit_string"})
"""With the absent node: a function in FROM is a list of its call and, mostly, of nothing."""


def kind(node: Node) -> str:
    """The kind of a node: `column_ref`, `select_stmt` ... Empty for an absent node."""
    return node.WhichOneof("node") or ""


def inner(node: Node) -> Node:
    """The message inside a node."""
    return getattr(node, kind(node))


def present(message: Node, field: str) -> bool:
    """Is the single message field set."""
    return bool(message.HasField(field))


def strings(nodes: Node) -> tuple[str, ...]:
    """The texts of a list of String nodes (a qualified name); a star is `*`."""
    return tuple("*" if kind(node) == "a_star" else node.string.sval for node in nodes)


def children(message: Node) -> Iterator[Node]:
    """The nodes directly below a message, whatever fields hold them.

    Messages that are no Node but hold some (a WITH clause, a window definition) are passed through.
    """
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for item in listed(value):
            if item.DESCRIPTOR.name == "Node":
                if kind(item) not in _LEAVES:
                    yield item
            else:
                yield from children(item)


def listed(value: Node) -> Iterator[Node]:
    """The messages in a field, whether it holds one or many."""
    if hasattr(value, "DESCRIPTOR"):
        yield value
    else:
        yield from value
