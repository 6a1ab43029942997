"""The one door to Cedar (`cedarpy`): parse, validate, decide. Its exceptions end here.

A policy set is kept as handles, parsed once. For each action it holds only the policies whose
action scope can match: Cedar has no index, and what cannot match costs as much as what can.

Cedar skips a `forbid` whose condition fails to evaluate, so a decision with errors is worth
nothing: whoever asks must take `Answer.errors` for a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

from dbgate_core.errors import UsageError

Json = dict[str, Any]
"""A policy, an entity or a context, in Cedar's JSON form."""

_EMPTY: Final[Json] = {"templates": {}, "templateLinks": []}


@dataclass(frozen=True, slots=True)
class Question:
    """May this principal do this action to this resource? Uids are (type, id)."""

    principal: tuple[str, str]
    action: str
    resource: tuple[str, str]
    context: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What Cedar says; `policies` are the ids of those that decided (none for the default deny)."""

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]


class Entities:
    """A parsed set of entities."""

    def __init__(self, handle: cedarpy.Entities) -> None:
        self._handle = handle

    @classmethod
    def of(cls, entities: Sequence[Json], schema: Schema) -> Entities:
        """Parse and validate. Raises UsageError for what the schema does not know.

        It is here that the schema's actions and their groups come in: a handle made without the
        schema knows of no group, and a rule about one would never match.
        """
        try:
            return cls(cedarpy.Entities.from_json_str(json.dumps(entities), schema.handle))
        except ValueError as exc:
            raise UsageError(f"policy cannot read who or what is asked about: {exc}") from exc

    def plus(self, entity: Json) -> Entities:
        """These and one more. Raises UsageError when it is not readable."""
        try:
            return Entities(self._handle.with_added_json_str(json.dumps([entity])))
        except ValueError as exc:
            raise UsageError(f"policy cannot read what is asked about: {exc}") from exc

    @property
    def handle(self) -> cedarpy.Entities:
        """Cedar's own."""
        return self._handle


class Schema:
    """A parsed schema."""

    def __init__(self, text: str) -> None:
        try:
            self.handle = cedarpy.Schema.from_str(text)
        except ValueError as exc:
            raise UsageError(f"the policy schema does not parse: {exc}") from exc

    def complaints(self, text: str) -> list[tuple[int, str]]:
        """What is wrong with policies that parse: each one's place from 0, and the mistake."""
        result = cedarpy.validate_policies(text, self.handle)
        if result.validation_passed:
            return []
        found = [
            (_position(e.policy_id), str(e.error).removeprefix(f"for policy `{e.policy_id}`, "))
            for e in result.errors
        ]
        return found or [(0, "it does not fit the schema")]


class PolicySet:
    """Policies by action."""

    def __init__(self, policies: Mapping[str, Json], schema: Schema, actions: Actions) -> None:
        self._schema = schema
        self._by_action: dict[str, cedarpy.PolicySet] = {}
        self._permitted: set[str] = set()
        for action in actions.names:
            fitting = actions.fitting(action, policies)
            if fitting:
                self._by_action[action] = _handle(fitting)
            if any(policy["effect"] == "permit" for policy in fitting.values()):
                self._permitted.add(action)

    def can_permit(self, action: str) -> bool:
        """Whether any permit is about the action at all; if not, nobody need be asked."""
        return action in self._permitted

    def decide(self, question: Question, entities: Entities) -> Answer:
        """Answer it. A question that Cedar cannot read is answered by an error."""
        handle = self._by_action.get(question.action)
        if handle is None:
            return Answer(False, (), ())
        return _authorize(question, handle, entities.handle, self._schema.handle)


class Actions:
    """The schema's actions, and which policies each can be decided by.

    Cedar itself is asked: of each policy only the action's scope is kept, and a request for the
    action then names, as its reasons, exactly the policies in whose scope it lies.
    """

    def __init__(self, samples: Iterable[Question], policies: Mapping[str, Json], schema: Schema):
        scopes = {name: _scope(policy) for name, policy in policies.items()}
        self._fitting: dict[str, frozenset[str]] = {}
        handle = _handle(scopes)
        nobody = Entities.of([], schema).handle
        for sample in samples:
            answer = _authorize(sample, handle, nobody, schema.handle)
            if answer.errors:
                raise UsageError(f"the schema does not fit this dbgate: {answer.errors[0]}")
            self._fitting[sample.action] = frozenset(answer.policies)

    @property
    def names(self) -> Iterable[str]:
        """The actions' names."""
        return self._fitting

    def fitting(self, action: str, policies: Mapping[str, Json]) -> dict[str, Json]:
        """Those of the policies that the action can be decided by."""
        wanted = self._fitting[action]
        return {name: policy for name, policy in policies.items() if name in wanted}

    def of(self, policy: str) -> frozenset[str]:
        """The actions in the scope of a policy."""
        return frozenset(name for name, fitting in self._fitting.items() if policy in fitting)


def parse(text: str) -> list[Json]:
    """The policies of a text, in its order, as JSON. Raises UsageError when it does not parse."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except RecursionError:
        raise UsageError("a condition is nested too deeply") from None
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    if document["templates"]:
        raise UsageError("templates (?principal, ?resource) are not supported: name the group")
    policies: dict[str, Json] = document["staticPolicies"]
    return [policies[name] for name in sorted(policies, key=_position)]


def looks_at(policy: Json, attribute: str) -> bool:
    """Whether a condition reads, or tests for, an attribute of that name: of anything, in any form."""
    return f'"attr": {json.dumps(attribute)}' in json.dumps(policy)


def check(policy: Json) -> None:
    """Raise UsageError unless Cedar takes the policy in its JSON form."""
    try:
        _handle({"policy": policy})
    except (ValueError, RecursionError) as exc:
        raise UsageError("a condition is nested too deeply") from exc


def _position(name: str) -> int:
    return int(name.removeprefix("policy"))


def _scope(policy: Json) -> Json:
    anything = {"op": "All"}
    return {
        "effect": "permit",
        "principal": anything,
        "action": policy["action"],
        "resource": anything,
        "conditions": [],
    }


def _handle(policies: Mapping[str, Json]) -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_json_str(json.dumps({"staticPolicies": policies, **_EMPTY}))


def _authorize(
    question: Question,
    policies: cedarpy.PolicySet,
    entities: cedarpy.Entities,
    schema: cedarpy.Schema,
) -> Answer:
    request = {
        "principal": _uid(question.principal),
        "action": _uid(("Action", question.action)),
        "resource": _uid(question.resource),
        "context": question.context,
    }
    try:
        result = cedarpy.is_authorized(request, policies, entities, schema)
    except ValueError as exc:
        return Answer(False, (), (str(exc),))
    found = result.diagnostics
    decided = result.decision is not cedarpy.Decision.NoDecision
    errors = tuple(found.errors) or (() if decided else ("Cedar gives no decision",))
    return Answer(result.allowed and not errors, tuple(found.reasons), errors)


def _uid(uid: tuple[str, str]) -> dict[str, str]:
    """As a value, never as Cedar text: whatever stands in a name stays in the name."""
    return {"type": uid[0], "id": uid[1]}
