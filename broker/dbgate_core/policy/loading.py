"""Policy files to a checked set: everything that is wrong is found at once, and nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dbgate_core.errors import UsageError
from dbgate_core.policy import cedar, questions
from dbgate_core.policy.bounds import MAX_FILES, MAX_POLICIES, demand_bounded
from dbgate_core.policy.rules import Rule, read_rule


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked set. `lifted` is `full` without the forbids that an approval lifts.

    `reads_statement` is set when any rule looks at the statement beside its effects.
    """

    rules: dict[str, Rule]
    full: cedar.PolicySet
    lifted: cedar.PolicySet
    schema: cedar.Schema
    reads_statement: bool


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    rules: dict[str, Rule] = field(default_factory=dict)
    policies: dict[str, cedar.Json] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    count: int = 0

    def note(self, file: str, complaint: str) -> None:
        self.errors.append(f"{file}: {' '.join(complaint.split())}")


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
        lines = "\n  ".join(reading.errors)
        raise UsageError(
            f"the policies are not usable:\n  {lines}",
            hint="docs/policy.md says how rules are made",
        )
    return _prepare(reading, known)


def _prepare(reading: _Reading, schema: cedar.Schema) -> Loaded:
    actions = cedar.Actions(questions.samples(), reading.policies, schema)
    lifted = {
        name: policy
        for name, policy in reading.policies.items()
        if reading.rules[name].approval is None
    }
    return Loaded(
        reading.rules,
        cedar.PolicySet(reading.policies, schema, actions),
        cedar.PolicySet(lifted, schema, actions),
        schema,
        any(cedar.looks_at(policy, "statement") for policy in reading.policies.values()),
    )


def _read_file(reading: _Reading, file: str, text: str, schema: cedar.Schema) -> None:
    try:
        demand_bounded(text)
        policies = cedar.parse(text)
        for policy in policies:
            cedar.check(policy)
        complaints = schema.complaints(text)
    except UsageError as exc:
        reading.note(file, exc.message)
        return
    for complaint in complaints:
        reading.note(file, complaint)
    for place, policy in enumerate(policies, start=1):
        _read_policy(reading, file, place, policy)


def _read_policy(reading: _Reading, file: str, place: int, policy: cedar.Json) -> None:
    rule, errors = read_rule(policy, reading.count)
    reading.count += 1
    name = (policy.get("annotations") or {}).get("id") or f"policy {place}"
    for error in errors:
        reading.note(file, f"{name}: {error}")
    if rule is None:
        return
    if rule.id in reading.rules:
        reading.note(file, f"{rule.id}: the @id stands in {reading.files[rule.id]} already")
        return
    reading.rules[rule.id] = rule
    reading.policies[rule.id] = policy
    reading.files[rule.id] = file
