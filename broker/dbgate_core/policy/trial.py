"""A statement tried: what would come of it, without a database, a session or a log.

The same judgement as a connection's guard makes (`dbgate_core.guard`), of a fresh connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.decision import Decision, Verdict
from dbgate_core.errors import DbgateError
from dbgate_core.masking.plan import protected
from dbgate_core.policy.engine import Policies
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.analysis import Analysis
from dbgate_core.verdicts import Subject, flow

SEARCH_PATH: Final = ("public",)


@dataclass(frozen=True, slots=True)
class Trial:
    """`analysis` is None for what does not parse; `masked`: some of its results' values would be.

    `code` says why it is denied when no rule does it.
    """

    decision: Decision
    analysis: Analysis | None
    masked: bool = False
    code: str = ""


def attempt(
    policies: Policies,
    subject: Subject,
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...] = SEARCH_PATH,
) -> Trial:
    """Judge the text as that subject's first statement."""
    try:
        analysis = analyse(text, catalog, search_path)
        moved = flow(analysis, catalog, search_path)
    except DbgateError as exc:
        return Trial(
            Decision(Verdict.DENY, message=exc.message, hint=exc.hint), None, code=exc.code
        )
    decision = policies.statement(
        subject.principal,
        subject.database,
        subject.access_role,
        analysis,
        reasoned=subject.reasoned,
    )
    owed = decision.obligations
    if decision.allowed and owed.mask and moved:
        return Trial(
            Decision(Verdict.DENY, message=f"masking would be lost: {moved}"),
            analysis,
            code="masking.moved",
        )
    masked = decision.allowed and owed.mask and protected(analysis, catalog, search_path)
    return Trial(decision, analysis, masked)
