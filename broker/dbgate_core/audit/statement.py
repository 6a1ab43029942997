"""What an audit entry says of a statement."""

from __future__ import annotations

from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Effect


def described(text: str, analysis: Analysis | None) -> dict[str, object]:
    """Its text, effects and tables; of what was not read, the text alone."""
    if analysis is None:
        return {"text": text, "effects": [], "tables": []}
    touched = sorted(str(relation) for relation in analysis.reads | analysis.writes)
    return {
        "text": text,
        "effects": [_effect(effect) for effect in analysis.effects],
        "tables": touched,
    }


def _effect(effect: Effect) -> dict[str, object]:
    """An effect without its empty parts."""
    parts: dict[str, object] = {"action": str(effect.action)}
    for name in ("object", "kind", "predicate", "danger", "detail"):
        if value := str(getattr(effect, name)):
            parts[name] = value
    if effect.columns:
        parts["columns"] = sorted(effect.columns)
    return parts
