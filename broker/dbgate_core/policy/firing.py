"""Rules that can never fire, found by trying every kind of question that they tell apart.

What a rule can be asked about is small: the action, the kind of principal, and attributes of closed
sets, or strings of which only those matter that some rule names. Each combination is tried with three
truths; what depends on groups, labels or tables is unknown. Only what is false in every
combination is reported, so a report is never wrong, and a silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from dbgate_core.policy.cedar import Json
from dbgate_core.policy.conditions import UNKNOWN, Point, attributes, holds, literals
from dbgate_core.principal import PrincipalKind
from dbgate_core.sql.effects import Action, Danger, Predicate

MAX_POINTS: Final = 20_000
"""Combinations tried for one rule, or one pair of rules: beyond it nothing is said of them."""
_ANOTHER: Final = "\0another"
"""Stands for every string that no rule names."""
_ROWS: Final = frozenset({Action.UPDATE, Action.DELETE, Action.MERGE})
_DDL: Final = frozenset({Action.ALTER, Action.DROP, Action.TRUNCATE})
_PLACES: Final = frozenset({Action.CREATE, Action.DROP})
_STRINGS: Final = ("access_role", "kind", "detail", "object")


@dataclass(frozen=True, slots=True)
class Dead:
    """A rule that decides nothing, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy as it is tried: `actions` are those in its scope, `groups` what an action is in."""

    id: str
    policy: Json
    actions: frozenset[str]
    lifted: bool

    @property
    def forbids(self) -> bool:
        """Whether it is a forbid."""
        return bool(self.policy["effect"] == "forbid")


def dead(candidates: Sequence[Candidate], groups: Mapping[str, frozenset[str]]) -> list[Dead]:
    """The rules that can never fire, or that another one always overrules, in their order."""
    found: list[Dead] = []
    final = [each for each in candidates if each.forbids and not each.lifted]
    for each in candidates:
        if not _fires(each, groups):
            found.append(Dead(each.id, "never fires: no question can meet its conditions"))
        elif (not each.forbids or each.lifted) and (over := _over(each, final, groups)):
            what = "no approval can lift it" if each.forbids else "never decides"
            found.append(Dead(each.id, f"{what}: {over} forbids all of it"))
    return found


def _fires(rule: Candidate, groups: Mapping[str, frozenset[str]]) -> bool:
    points = _points([rule])
    return points is None or any(holds(rule.policy, point, groups) is not False for point in points)


def _over(rule: Candidate, final: Sequence[Candidate], groups: Mapping[str, frozenset[str]]) -> str:
    """The forbid that holds wherever the rule may; "" if there is none."""
    for forbid in final:
        if not rule.actions <= forbid.actions:
            continue
        points = _points([rule, forbid])
        if points is not None and all(
            holds(rule.policy, point, groups) is False
            or holds(forbid.policy, point, groups) is True
            for point in points
        ):
            return forbid.id
    return ""


def _points(rules: Sequence[Candidate]) -> Iterator[Point] | None:
    """Each combination that the rules tell apart; None when there are too many."""
    policies = [rule.policy for rule in rules]
    asked = sorted(set[str]().union(*map(attributes, policies)))
    named = set[str]().union(*map(literals, policies))
    domains = {name: _domain(name, named) for name in asked}
    actions = sorted(rules[0].actions)
    size = len(actions) * len(PrincipalKind)
    for domain in domains.values():
        size *= len(domain)
    return None if size > MAX_POINTS else _combined(actions, domains)


def _combined(actions: Sequence[str], domains: Mapping[str, Sequence[object]]) -> Iterator[Point]:
    for action, kind in product(actions, PrincipalKind):
        for values in product(*domains.values()):
            context = dict(zip(domains, values, strict=True))
            if _possible(action, context):
                yield Point(action, str(kind), context)


def _domain(attribute: str, named: set[str]) -> Sequence[object]:
    match attribute:
        case "danger":
            return [str(danger) for danger in Danger]
        case "predicate":
            return [str(predicate) for predicate in Predicate]
        case "destructive" | "temporary":
            return [False, True]
        case _ if attribute in _STRINGS:
            return [*sorted(named), "", _ANOTHER]
        case _:
            return [UNKNOWN]


def _possible(action: str, context: Mapping[str, object]) -> bool:
    """Whether an effect can be so: what `questions.of_effect` never fills in is left out."""
    if action not in _ROWS and context.get("predicate", "") != "":
        return False
    if action not in _DDL and context.get("destructive"):
        return False
    return action in _PLACES or not context.get("temporary")
