"""Recorded statements, decided by two sets of rules: what would come out otherwise.

Equal statements of one person (`Recorded.asked`) are decided once and counted, so that a log of a
hundred thousand costs as much as the different statements in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dbgate_core.decision import Decision, Verdict
from dbgate_core.policy.engine import Policies
from dbgate_core.policy.records import Recorded
from dbgate_core.sql.effects import Action


class Change(StrEnum):
    """What other rules would do to a statement, the gravest first."""

    DENIED = "newly denied"
    HELD = "newly held"
    ALLOWED = "newly allowed"
    CLEAR = "no longer masked"
    MASKED = "newly masked"
    LIMITED = "newly cut by a row limit"


_OF_VERDICT: Final = {
    Verdict.DENY: Change.DENIED,
    Verdict.HOLD: Change.HELD,
    Verdict.ALLOW: Change.ALLOWED,
}


@dataclass(slots=True)
class Case:
    """One statement of one person that would come out otherwise, however often they sent it.

    Its texts may differ in what policy does not look at; `example` is the last one.
    """

    change: Change
    example: Recorded
    before: Decision
    after: Decision
    first: str
    count: int = 0


@dataclass(slots=True)
class Replayed:
    """What a replay found; `refused` counts what the new rules do not allow, newly or not."""

    statements: int = 0
    refused: int = 0
    first: str = ""
    last: str = ""
    counts: Counter[Change] = field(default_factory=Counter)
    cases: list[Case] = field(default_factory=list)

    def of(self, change: Change) -> list[Case]:
        """The cases of one change, what is most frequent first."""
        return sorted(
            (case for case in self.cases if case.change is change), key=lambda case: -case.count
        )


@dataclass(frozen=True, slots=True)
class _Decided:
    before: Decision
    after: Decision
    cases: dict[Change, Case] = field(default_factory=dict)


def replay(old: Policies, new: Policies, statements: Iterable[Recorded]) -> Replayed:
    """Decide each statement by both sets."""
    found = Replayed()
    known: dict[object, _Decided] = {}
    for each in statements:
        decided = known.get(each.asked)
        if decided is None:
            decided = known[each.asked] = _Decided(_decide(old, each), _decide(new, each))
        found.statements += 1
        found.refused += not decided.after.allowed
        found.first = min(found.first or each.at, each.at)
        found.last = max(found.last, each.at)
        for change in _changes(decided, each, _masking(decided, each, old, new)):
            _count(found, decided, change, each)
    return found


def _decide(policies: Policies, each: Recorded) -> Decision:
    """As if its session had a reason, which only entries of what was shown repeat."""
    who = each.subject
    return policies.statement(
        who.principal, who.database, who.access_role, each.analysis, reasoned=True
    )


def _count(found: Replayed, decided: _Decided, change: Change, each: Recorded) -> None:
    case = decided.cases.get(change)
    if case is None:
        case = Case(change, each, decided.before, decided.after, each.at)
        decided.cases[change] = case
        found.cases.append(case)
    case.count += 1
    case.first = min(case.first, each.at)
    if each.at >= case.example.at:
        case.example = each
    found.counts[change] += 1


def _masking(decided: _Decided, each: Recorded, old: Policies, new: Policies) -> bool | None:
    """Whether it ran masked; None when that was decided by a third set of rules."""
    by = {old.version: decided.before, new.version: decided.after}.get(each.policy)
    return None if by is None else by.obligations.mask


def _changes(decided: _Decided, each: Recorded, was_masking: bool | None) -> Iterator[Change]:
    before, after = decided.before, decided.after
    if before.verdict is not after.verdict:
        yield _OF_VERDICT[after.verdict]
        return
    if not after.allowed:
        return
    masked, masks = before.obligations.mask, after.obligations.mask
    if masked != masks and _shows(each, was_masking):
        yield Change.MASKED if masks else Change.CLEAR
    limit, limited = before.obligations.row_limit, after.obligations.row_limit
    if limited is not None and (limit is None or limited < limit) and _exceeds(each, limited):
        yield Change.LIMITED


def _shows(each: Recorded, was_masking: bool | None) -> bool:
    """Whether its results may hold protected values, as far as the log can tell.

    Where masking was on, its end says so. Else all that is known is whether it read something.
    """
    if each.masked or each.masked is None or not was_masking:
        return bool(each.masked or each.analysis.reads)
    return False


def _exceeds(each: Recorded, limit: int) -> bool:
    """Whether it gave more rows than that, or may have; COPY TO is for nobody with a limit."""
    actions = {effect.action for effect in each.analysis.effects}
    if Action.COPY_OUT in actions:
        return True
    return Action.SELECT in actions and (each.rows is None or each.rows > limit)
