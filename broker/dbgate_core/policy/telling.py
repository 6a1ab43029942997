"""An explanation as plain values: what `--json` prints, and what the broker answers."""

from __future__ import annotations

from typing import Any

import msgspec

from dbgate_core.policy.engine import Policies
from dbgate_core.policy.explaining import Explanation
from dbgate_core.sql.effects import Effect


def told(policies: Policies, found: Explanation) -> dict[str, Any]:
    """The explanation as one object."""
    decision, places = found.trial.decision, {rule.id: rule.place for rule in policies.rules}
    return {
        "verdict": decision.verdict,
        "rules": [{"rule": rule, "place": places.get(rule, "")} for rule in decision.policies],
        "code": found.trial.code,
        "message": decision.message,
        "hint": decision.hint,
        "approval": decision.approval,
        "observed": decision.observed,
        "masked": found.trial.masked,
        "rows": decision.obligations.row_limit,
        "session": {"verdict": found.session.verdict, "rules": found.session.policies},
        "effects": [
            {**_plain(effect), "verdict": one.verdict, "rules": one.policies}
            for effect, one in found.effects
        ],
        "would": [
            {"if": way.what, "verdict": way.verdict, "command": way.command} for way in found.ways
        ],
        "policy": policies.version,
    }


def _plain(effect: Effect) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.to_builtins(effect)
    return {name: value for name, value in known.items() if value not in ("", [], False)}
