"""What an audit entry says of a statement."""

from __future__ import annotations

from collections.abc import Mapping

from dbgate_core.audit.canonical import fragment
from dbgate_core.decision import Decision
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Effect


def described(analysis: Analysis | None) -> dict[str, object]:
    """Its effects and tables; empty of what was not read."""
    if analysis is None:
        return {"effects": [], "tables": []}
    touched = sorted(str(relation) for relation in analysis.reads | analysis.writes)
    said = {"effects": [_effect(effect) for effect in analysis.effects], "tables": touched}
    return said | _judged_by(analysis)


def _judged_by(analysis: Analysis) -> dict[str, object]:
    """What else rules look at, so that they can be replayed; without `writes`, `tables` are read."""
    parts: dict[str, object] = {}
    if analysis.writes:
        parts["reads"] = sorted(map(str, analysis.reads))
        parts["writes"] = sorted(map(str, analysis.writes))
    if analysis.functions:
        parts["functions"] = sorted(analysis.functions)
    if analysis.statements != 1:
        parts["statements"] = analysis.statements
    return parts


def judged(analysis: Analysis, decision: Decision) -> Mapping[str, object]:
    """What is the same in all begin entries of statements so judged, encoded once.

    Nothing of a text, a session or a principal is in it: it is shared by all connections.
    """
    said = described(analysis) | {
        "policies": list(decision.policies),
        "verdict": decision.verdict.value,
    }
    if decision.observed:
        said["observed"] = list(decision.observed)
    return {name: fragment(value) for name, value in said.items()}


def _effect(effect: Effect) -> dict[str, object]:
    """An effect without its empty parts."""
    parts: dict[str, object] = {"action": str(effect.action)}
    for name in ("object", "kind", "predicate", "danger", "detail"):
        if value := str(getattr(effect, name)):
            parts[name] = value
    if effect.columns:
        parts["columns"] = sorted(effect.columns)
    if effect.destructive:
        parts["destructive"] = True
    return parts
