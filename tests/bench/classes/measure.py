"""Columns made from a vocabulary, classed as the broker would, and compared with their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from dbgate_core.classify.decide import look
from dbgate_core.masking.classes import classify_column
from tests.bench.classes.values import MAKERS

FOLDER: Final = Path(__file__).parent
VALUES: Final = 120
"""A column, of which a tenth are empty."""
UNSAMPLED: Final = ("boolean", "date", "timestamp", "inet", "macaddr", "uuid")
TUNED: Final = "tuned"
HELD: Final = "held"

Labels = frozenset[tuple[str, str]]
"""Path and class; the empty path is the column itself."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A column and what it is known to hold."""

    table: str
    column: str
    type_name: str
    maker: str
    labels: Labels


def columns(vocabulary: str) -> list[Labelled]:
    """The columns of a vocabulary."""
    lines = (FOLDER / f"{vocabulary}.txt").read_text().splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return [Labelled(t, c, kind, maker, _labels(label)) for t, c, kind, maker, label in rows]


def _labels(text: str) -> Labels:
    if text == "-":
        return frozenset()
    pairs = (part.rpartition("=") for part in text.split(","))
    return frozenset((path, name) for path, _, name in pairs)


def found_in(one: Labelled, random: Random) -> Labels:
    """What is found in a column with values made for it."""
    make = MAKERS[one.maker]
    sampled = not one.type_name.startswith(UNSAMPLED)
    values = [make(random) for _ in range(VALUES)] if sampled else []
    values[: VALUES // 10] = [""] * (VALUES // 10 if sampled else 0)
    named = classify_column(one.table, one.column, one.type_name)
    looked = look(one.table, one.column, named, values)
    return frozenset((".".join(f.path), f.data_class.value) for f in looked.findings)


@dataclass(frozen=True, slots=True)
class Score:
    """Right, wrong and missed findings, by class; `mistakes` says them one by one."""

    right: Mapping[str, int]
    wrong: Mapping[str, int]
    missed: Mapping[str, int]
    mistakes: tuple[str, ...]
    columns: int

    @property
    def precision(self) -> float:
        """Of what was found, so much is so."""
        found = sum(self.right.values()) + sum(self.wrong.values())
        return sum(self.right.values()) / found if found else 1.0

    @property
    def recall(self) -> float:
        """Of what is so, so much was found."""
        there = sum(self.right.values()) + sum(self.missed.values())
        return sum(self.right.values()) / there if there else 1.0


def score(vocabulary: str, seed: int) -> Score:
    """The whole vocabulary, with values of that seed."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    mistakes: list[str] = []
    listed = columns(vocabulary)
    for number, one in enumerate(listed):
        found = found_in(one, Random(seed * 10_000 + number))
        right.update(name for _, name in found & one.labels)
        wrong.update(name for _, name in found - one.labels)
        missed.update(name for _, name in one.labels - found)
        mistakes += _mistakes(one, found)
    return Score(right, wrong, missed, tuple(mistakes), len(listed))


def _mistakes(one: Labelled, found: Labels) -> Iterator[str]:
    for sign, pairs in (("wrongly", found - one.labels), ("missed", one.labels - found)):
        for path, name in sorted(pairs):
            yield f"{sign} {name}: {one.table}.{one.column} {path} ({one.maker})"
