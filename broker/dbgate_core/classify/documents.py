"""JSON documents taken apart: which members a column's documents have, and their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dbgate_core.classify.finding import Path

MAX_PATHS: Final = 400
"""Of one column; what has more is a map, or no document to be told apart. Unseen members are masked."""
MAX_VALUES: Final = 500
"""Of one path."""
MAX_DEPTH: Final = 12
MAX_KEYS: Final = 40
"""An object with more keys than this in all is a map: its keys are values, told by `*`."""
ANY: Final = "*"


def are_documents(values: Sequence[str]) -> bool:
    """Do the values of a text column look like JSON objects or arrays, and nearly all are."""
    shaped = sum(value[:1] in "{[" and value[-1:] in "}]" for value in values)
    if shaped < 0.9 * len(values):
        return False
    parsed = sum(isinstance(parse(value), dict | list) for value in values)
    return parsed >= 0.9 * len(values)


def parse(text: str) -> Any:  # Any: whatever JSON holds
    """The value of a JSON text; None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class Member:
    """What was seen at one path: the texts of scalars, and whether one of them was a JSON string."""

    texts: list[str] = field(default_factory=list)
    strings: bool = False


def members(documents: Iterable[str]) -> dict[Path, Member]:
    """Every path that is seen (objects and arrays have no texts of their own).

    Keys of maps become `*`: those of an object that has, over all documents, more than `MAX_KEYS`.
    """
    parsed = [parse(text) for text in documents]
    keys: dict[Path, set[str]] = {}
    for value in parsed:
        _keys(value, (), keys)
    found: dict[Path, Member] = {}
    for value in parsed:
        _walk(value, (), keys, found)
    return found


def _keys(value: Any, path: Path, keys: dict[Path, set[str]]) -> None:
    if len(path) >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        known = keys.setdefault(path, set())
        for key, inner in value.items():
            if len(known) <= MAX_KEYS:
                known.add(key)
            _keys(inner, (*path, _step(known, key)), keys)
    elif isinstance(value, list):
        for inner in value:
            _keys(inner, (*path, ANY), keys)


def _step(known: set[str], key: str) -> str:
    return ANY if len(known) > MAX_KEYS else key


def _walk(value: Any, path: Path, keys: dict[Path, set[str]], found: dict[Path, Member]) -> None:
    if path not in found and len(found) >= MAX_PATHS:
        return
    seen = found.setdefault(path, Member())
    if len(path) >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        known = keys.get(path, set())
        for key, inner in value.items():
            _walk(inner, (*path, _step(known, key)), keys, found)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, (*path, ANY), keys, found)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        seen.strings |= isinstance(value, str)
        if len(seen.texts) < MAX_VALUES:
            seen.texts.append(str(value))
