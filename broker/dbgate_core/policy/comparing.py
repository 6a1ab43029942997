"""Two sets of rules, by what is written in them."""

from __future__ import annotations

from dataclasses import dataclass

from dbgate_core.policy.engine import Policies


@dataclass(frozen=True, slots=True)
class Differences:
    """The ids of rules that only one set has, or that say something else in the other."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def compare(old: Policies, new: Policies) -> Differences:
    """What was added, removed and changed; where a rule stands does not matter."""
    before, after = old.written, new.written
    return Differences(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(name for name in before.keys() & after if before[name] != after[name])),
    )
