"""Cases of `dbgate policy test`: run, and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbgate_cli import policy_files, render
from dbgate_core.errors import UsageError

if TYPE_CHECKING:
    from dbgate_core.policy import Policies


def results(policies: Policies, file: Path) -> list[dict[str, Any]]:
    """What each case of a file gave. Raises UsageError for a file that is not usable, naming it."""
    from dbgate_core.policy.casefile import read_cases
    from dbgate_core.policy.running import run_cases

    try:
        cases = read_cases(policy_files.text_of(file))
    except UsageError as exc:
        raise UsageError(f"{file}: {exc.message}", hint=exc.hint) from exc
    return [
        {
            "file": str(file),
            "line": result.line,
            "case": result.title,
            "verdict": result.trial.decision.verdict.value,
            "rules": list(result.trial.decision.policies),
            "message": result.trial.decision.message,
            "differences": list(result.differences),
        }
        for result in run_cases(policies, cases)
    ]


def show(result: dict[str, Any], json: bool) -> None:
    """One case: as an object each, or, for people, those that came out otherwise."""
    if json:
        render.emit(result)
    elif result["differences"]:
        render.line(f"{result['file']}:{result['line']}: {result['case']}")
        for difference in result["differences"]:
            render.line(f"    {difference}")
        if result["message"]:
            render.line(f"    it said: {result['message']}")
