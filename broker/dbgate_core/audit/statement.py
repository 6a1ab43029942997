"""What an audit entry says of a statement."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from dbgate_core.audit.canonical import fragment
from dbgate_core.audit.form import Form
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
    if analysis.searches:
        parts["searches"] = [
            {"column": s.column, "how": str(s.how)} for s in sorted(analysis.searches)
        ]
    if analysis.statements != 1:
        parts["statements"] = analysis.statements
    return parts


MAX_FORMS: Final = 16
"""Of one verdict: two protocols, and as many counts of parameters as its texts may have in earnest."""


class Said:
    """What is the same in all begin entries of statements so judged, encoded once.

    Nothing of a text, a session or a principal is in it: it is shared by all connections.
    """

    __slots__ = ("_forms", "fields")

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields = fields
        self._forms: dict[tuple[str, int], Form] = {}

    def form(self, protocol: str, parameters: int) -> Form:
        """The form of a begin entry; its own are `scope` and `text`."""
        form = self._forms.get((protocol, parameters))
        if form is None:
            count = {"parameters": parameters} if parameters else {}
            fields = {"protocol": protocol, **self.fields, **count}
            form = Form("statement", fields, ("scope", "text"))
            if len(self._forms) >= MAX_FORMS:
                self._forms.clear()
            self._forms[protocol, parameters] = form
        return form


def judged(analysis: Analysis, decision: Decision) -> Said:
    """What begin entries say of a verdict."""
    said = described(analysis) | {
        "policies": list(decision.policies),
        "verdict": decision.verdict.value,
    }
    if decision.observed:
        said["observed"] = list(decision.observed)
    return Said({name: fragment(value) for name, value in said.items()})


@lru_cache(maxsize=256)
def ended(status: str, tag: str, rows: int | None, sqlstate: str) -> Form:
    """The form of an end entry; its own are `begin`, `duration_us` and `scope`."""
    fields: dict[str, object] = {"status": status}
    if tag:
        fields["tag"] = tag
    if rows is not None:
        fields["rows"] = rows
    if sqlstate:
        fields["sqlstate"] = sqlstate
    return Form("statement_end", fields, ("begin", "duration_us", "scope"))


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
