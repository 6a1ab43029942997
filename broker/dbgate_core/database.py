"""What policy knows of a governed database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database's name, environment (`production`, `development` ...), labels and engine."""

    name: str
    environment: str
    labels: frozenset[tuple[str, str]] = frozenset()
    engine: str = "postgresql"
