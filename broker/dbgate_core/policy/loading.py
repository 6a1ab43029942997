"""Policy files to a checked set: everything that is wrong is found at once, and nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dbgate_core.decision import NO_LIMITS
from dbgate_core.errors import UsageError
from dbgate_core.policy import cedar, questions
from dbgate_core.policy.bounds import MAX_FILES, MAX_POLICIES, demand_bounded, pieces
from dbgate_core.policy.conditions import entities
from dbgate_core.policy.firing import Candidate, Dead, dead
from dbgate_core.policy.rules import Rule, read_rule


class Unusable(UsageError):
    """A set with mistakes; each says its place first."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        lines = "\n  ".join(mistakes)
        super().__init__(
            f"the policies are not usable:\n  {lines}",
            hint="docs/policy.md says how rules are made",
        )
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked set. `lifted` is `full` without the forbids that an approval lifts.

    `watched` holds the forbids that only observe, which are in neither of the others.
    `reads_statement` is set when any rule looks at the statement beside its effects.
    """

    rules: dict[str, Rule]
    full: cedar.PolicySet
    lifted: cedar.PolicySet
    watched: cedar.PolicySet
    schema: cedar.Schema
    reads_statement: bool
    policies: dict[str, cedar.Json]


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    rules: dict[str, Rule] = field(default_factory=dict)
    policies: dict[str, cedar.Json] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    count: int = 0

    def note(self, place: str, complaint: str) -> None:
        self.errors.append(f"{place}: {' '.join(complaint.split())}")


def load(files: Mapping[str, str], schema: str) -> Loaded:
    """Read, check and prepare policies. Raises UsageError with one line for each mistake."""
    known = cedar.Schema(schema)
    if len(files) > MAX_FILES:
        raise UsageError(f"more than {MAX_FILES} policy files")
    reading = _Reading()
    for file in sorted(files):
        _read_file(reading, file, files[file], known)
    if not reading.count and not reading.errors:
        reading.errors.append("there is no policy in them, so nobody could do anything")
    if reading.count > MAX_POLICIES:
        reading.errors.append(f"more than {MAX_POLICIES} policies")
    if reading.errors:
        raise Unusable(reading.errors)
    return _prepare(reading, known)


def dead_rules(loaded: Loaded) -> list[Dead]:
    """The rules of a set that can never decide anything. A forbid that observes is no forbid."""
    policies = loaded.policies
    named = set[str]().union(*(entities(policy, "Action") for policy in policies.values()))
    scopes = {
        f"in {name}": {"action": {"op": "in", "entity": {"type": "Action", "id": name}}}
        for name in named
    }
    actions = cedar.Actions(questions.samples(), {**policies, **scopes}, loaded.schema)
    candidates = [
        Candidate(
            rule.id,
            policies[rule.id],
            actions.of(rule.id),
            lifted=rule.approval is not None or rule.observes,
        )
        for rule in loaded.rules.values()
    ]
    return dead(candidates, {name: actions.of(f"in {name}") for name in named})


def _prepare(reading: _Reading, schema: cedar.Schema) -> Loaded:
    policies, rules = reading.policies, reading.rules
    actions = cedar.Actions(questions.samples(), policies, schema)
    if idle := [rule for rule in rules.values() if _limits_nothing(rule, actions)]:
        raise Unusable(
            [f"{rule.place}: {rule.id}: it limits sessions, and permits none" for rule in idle]
        )
    full = {name: policy for name, policy in policies.items() if not rules[name].observes}
    lifted = {name: policy for name, policy in full.items() if rules[name].approval is None}
    watched = {name: policy for name, policy in policies.items() if rules[name].observes}
    return Loaded(
        rules,
        cedar.PolicySet(full, schema, actions),
        cedar.PolicySet(lifted, schema, actions),
        cedar.PolicySet(watched, schema, actions),
        schema,
        any(cedar.looks_at(policy, "statement") for policy in policies.values()),
        policies,
    )


def _limits_nothing(rule: Rule, actions: cedar.Actions) -> bool:
    return rule.limits != NO_LIMITS and questions.CONNECT not in actions.of(rule.id)


def _read_file(reading: _Reading, file: str, text: str, schema: cedar.Schema) -> None:
    try:
        demand_bounded(text)
    except UsageError as exc:
        reading.note(file, exc.message)
        return
    parts = pieces(text)
    if not (policies := _parsed(reading, file, text, parts)):
        return
    places = [f"{file}:{line}" for line, _ in parts]
    for at, complaint in schema.complaints(text):
        reading.note(places[at], f"{_name(policies[at], at)}: {complaint}")
    for at, policy in enumerate(policies):
        _read_policy(reading, places[at], at, policy)


def _parsed(
    reading: _Reading, file: str, text: str, parts: list[tuple[int, str]]
) -> list[cedar.Json]:
    """The policies; none when one does not parse. Cedar says not where: each is tried alone."""
    try:
        policies = cedar.parse(text)
        for policy in policies:
            cedar.check(policy)
        if len(policies) == len(parts):
            return policies
        whole = "the policies of the file cannot be told apart"
    except UsageError as exc:
        whole = exc.message
    errors = len(reading.errors)
    for line, part in parts:
        try:
            for policy in cedar.parse(part):
                cedar.check(policy)
        except UsageError as exc:
            reading.note(f"{file}:{line}", exc.message)
    if len(reading.errors) == errors:
        reading.note(file, whole)
    return []


def _name(policy: cedar.Json, at: int) -> str:
    return (policy.get("annotations") or {}).get("id") or f"policy {at + 1}"


def _read_policy(reading: _Reading, place: str, at: int, policy: cedar.Json) -> None:
    rule, errors = read_rule(policy, reading.count, place)
    reading.count += 1
    for error in errors:
        reading.note(place, f"{_name(policy, at)}: {error}")
    if rule is None:
        return
    if rule.id in reading.rules:
        reading.note(place, f"{rule.id}: the @id stands in {reading.rules[rule.id].place} already")
        return
    reading.rules[rule.id] = rule
    reading.policies[rule.id] = policy
