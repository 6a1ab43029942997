"""JSON documents taken apart: which members a column's documents have, and their values."""

from __future__ import annotations

import json
import re
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
MIN_SPREAD: Final = 9
"""Objects with more keys than the first in all are maps; so are those with more than the second, and
thrice as many as any one of them has."""
_NAME: Final = re.compile(r"[A-Za-z_][\w $-]{0,63}", re.ASCII)
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
    """What was seen at one path: the texts of scalars, and of which kinds the values were."""

    texts: list[str] = field(default_factory=list)
    strings: bool = False
    scalars: bool = False
    containers: bool = False

    def add(self, value: Any) -> None:
        """One more value; null tells nothing."""
        self.containers |= isinstance(value, dict | list)
        if isinstance(value, str | int | float):
            self.scalars = True
            self.strings |= isinstance(value, str)
            if not isinstance(value, bool) and len(self.texts) < MAX_VALUES:
                self.texts.append(str(value))


@dataclass(slots=True)
class _Keys:
    """The keys of the objects at one path, over all documents, and how many the largest had."""

    known: set[str] = field(default_factory=set)
    largest: int = 0

    def step(self, key: str) -> str:
        """The key in a path; `*` in a map, and where it is a value rather than a name."""
        spread = len(self.known) > MIN_SPREAD and len(self.known) > 3 * self.largest
        if spread or len(self.known) > MAX_KEYS or not _NAME.fullmatch(key):
            return ANY
        return key


def members(documents: Iterable[str]) -> dict[Path, Member]:
    """Every path that is seen, at most `MAX_PATHS`.

    Keys of maps become `*`: objects that have ever other keys, or keys that are no names.
    """
    parsed = [parse(text) for text in documents]
    keys: dict[Path, _Keys] = {}
    for value in parsed:
        _keys(value, (), keys)
    found: dict[Path, Member] = {}
    for value in parsed:
        _walk(value, (), keys, found)
    return found


def _keys(value: Any, path: Path, keys: dict[Path, _Keys]) -> None:
    if len(path) >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        here = keys.setdefault(path, _Keys())
        here.largest = max(here.largest, len(value))
        here.known.update(list(value)[: MAX_KEYS + 1])
        for key, inner in value.items():
            _keys(inner, (*path, here.step(key)), keys)
    elif isinstance(value, list):
        for inner in value:
            _keys(inner, (*path, ANY), keys)


def _walk(value: Any, path: Path, keys: dict[Path, _Keys], found: dict[Path, Member]) -> None:
    if path not in found and len(found) >= MAX_PATHS:
        return
    found.setdefault(path, Member()).add(value)
    if len(path) >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        here = keys.get(path, _Keys())
        for key, inner in value.items():
            _walk(inner, (*path, here.step(key)), keys, found)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, (*path, ANY), keys, found)
