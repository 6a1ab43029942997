"""What a condition says when not all is known: true, false or UNKNOWN.

Reads Cedar's JSON form of a policy (https://docs.cedarpolicy.com/policies/json-format.html).
An operator that is not read here is unknown, so what is said of the rest stays true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from dbgate_core.policy.cedar import Json


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
Truth: TypeAlias = bool | _Unknown


@dataclass(frozen=True, slots=True)
class Point:
    """One kind of question: an action, a kind of principal, and attributes of the context."""

    action: str
    principal: str
    context: Mapping[str, object]


Groups: TypeAlias = Mapping[str, frozenset[str]]
"""The actions in each group of actions; an action is in itself."""


def holds(policy: Json, point: Point, groups: Groups) -> Truth:
    """Whether the policy applies at the point: its scope, then each `when` and `unless`."""
    reader = _Reader(point, groups)
    truths = [reader.scope(policy, "principal"), reader.scope(policy, "resource")]
    for condition in policy["conditions"]:
        truth = reader.truth(condition["body"])
        truths.append(truth if condition["kind"] == "when" else _not(truth))
    return _all(truths)


def attributes(policy: Json) -> set[str]:
    """The attributes of the context that the conditions read."""
    return {
        node["."]["attr"]
        for node in _nodes(policy["conditions"])
        if "." in node and node["."]["left"] == {"Var": "context"}
    }


def literals(policy: Json) -> set[str]:
    """The strings that the conditions name."""
    return {
        node["Value"] for node in _nodes(policy["conditions"]) if isinstance(node.get("Value"), str)
    }


def compared(policy: Json, attribute: str) -> set[str]:
    """The strings that the conditions compare an attribute of the context with."""
    wanted = {".": {"left": {"Var": "context"}, "attr": attribute}}
    found: set[str] = set()
    for node in _nodes(policy["conditions"]):
        for body in node.values():
            sides = [body.get("left"), body.get("right")] if isinstance(body, dict) else []
            if wanted in sides:
                found |= {n["Value"] for n in _nodes(sides) if isinstance(n.get("Value"), str)}
    return found


def entities(policy: Json, kind: str) -> set[str]:
    """The ids of the entities of a type that the policy names, in its scope and conditions."""
    return {node["id"] for node in _nodes(policy) if node.get("type") == kind and "id" in node}


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for below in tree.values():
            yield from _nodes(below)
    elif isinstance(tree, list):
        for below in tree:
            yield from _nodes(below)


@dataclass(frozen=True, slots=True)
class _Reader:
    point: Point
    groups: Groups

    def scope(self, policy: Json, part: str) -> Truth:
        """The principal's or the resource's part of the scope; the action's is Cedar's to match."""
        scope, subject = policy[part], {"Var": part}
        truths: list[Truth] = []
        if "entity_type" in scope:
            truths.append(self.truth({"is": {"left": subject, **scope}}))
        inside = scope.get("in") or scope
        if "entity" in inside:
            operator = "in" if scope["op"] == "is" else scope["op"]
            named = {"Value": {"__entity": inside["entity"]}}
            truths.append(self.truth({operator: {"left": subject, "right": named}}))
        return _all(truths)

    def truth(self, node: Json) -> Truth:
        """The value of a node, when it is true or false."""
        value = self.value(node)
        return value if isinstance(value, bool) else UNKNOWN

    def value(self, node: Json) -> object:
        """The value of a node as far as the point tells it."""
        ((operator, body),) = node.items()
        match operator:
            case "Value":
                return UNKNOWN if isinstance(body, dict) else body
            case "." if body["left"] == {"Var": "context"}:
                return self.point.context.get(body["attr"], UNKNOWN)
            case "&&":
                return _all([self.truth(body["left"]), self.truth(body["right"])])
            case "||":
                either = [_not(self.truth(body[side])) for side in ("left", "right")]
                return _not(_all(either))
            case "!":
                return _not(self.truth(body["arg"]))
            case "==" | "!=":
                equal = self._equal(body["left"], body["right"])
                return equal if operator == "==" else _not(equal)
            case "in":
                return self._inside(body["left"], body["right"])
            case "is":
                return self._is(body)
            case "contains":
                return self._contains(body["left"], body["right"])
        return UNKNOWN

    def _equal(self, left: Json, right: Json) -> Truth:
        for one, other in ((left, right), (right, left)):
            if one == {"Var": "principal"} and (named := _entity(other)):
                return False if named["type"] != self.point.principal else UNKNOWN
            if one == {"Var": "action"} and (named := _entity(other)):
                return named["id"] == self.point.action
        values = self.value(left), self.value(right)
        return UNKNOWN if UNKNOWN in values else values[0] == values[1]

    def _inside(self, left: Json, right: Json) -> Truth:
        if left == {"Var": "action"}:
            named = [_entity(each) for each in right.get("Set", [right])]
            if not all(named):
                return UNKNOWN
            ids = [each["id"] for each in named if each]
            return any(self.point.action in self.groups.get(i, frozenset({i})) for i in ids)
        if left == {"Var": "resource"} and (environment := _entity(right)):
            kind, name = environment["type"], environment["id"]
            if kind == "Environment" and name != name.strip().casefold():
                return False  # environments are compared in lower case: see `actors`
        return UNKNOWN

    def _is(self, body: Json) -> Truth:
        if body["left"] != {"Var": "principal"}:
            return UNKNOWN
        if body["entity_type"] != self.point.principal:
            return False
        return UNKNOWN if "in" in body and body.get("op") != "is" else True

    def _contains(self, left: Json, right: Json) -> Truth:
        if "Set" not in left:
            return UNKNOWN
        wanted = self.value(right)
        members = [self.value(each) for each in left["Set"]]
        if wanted is UNKNOWN or UNKNOWN in members:
            return UNKNOWN
        return wanted in members


def _entity(node: Json) -> dict[str, str] | None:
    value = node.get("Value")
    return value.get("__entity") if isinstance(value, dict) else None


def _not(truth: Truth) -> Truth:
    return UNKNOWN if truth is UNKNOWN else not truth


def _all(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return UNKNOWN if UNKNOWN in truths else True
