"""A held statement: what it waits for, what reviewers and its sender are told, how the wait ends."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from dbgate_core.approval.request import AccessRequest, Choice, State
from dbgate_core.decision import Decision, Verdict
from dbgate_core.pgwire.guard import Hold, Refusal
from dbgate_core.policy.words import doing
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.plannable import plannable, takes_parameters

MAX_IN_TRANSACTION_S: Final = 30
"""How long a statement waits in an open transaction: its locks hold others up."""
MAX_EFFECTS: Final = 50
"""How many are shown; whoever decides sees the statement as well."""
MAX_WORDS_CHARS: Final = 200
DENIED: Final = "42501"
CANCELED: Final = "57014"
BY_USER: Final = Refusal(CANCELED, "canceling statement due to user request")
"""In PostgreSQL's own words, which drivers know."""


class Ended(StrEnum):
    """How a wait ended, as the log says it."""

    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CHANGED = "policy_changed"
    FAILED = "failed"


def unapprovable(analysis: Analysis) -> str:
    """The way on, where no approval of the text would say all that runs, and how often; else empty."""
    if takes_parameters(analysis):
        return "an approval is of the whole text: send it with its values written out, not as $1"
    if analysis.defines:
        return "a text behind a name runs whenever that is used: send it without PREPARE or DECLARE"
    return ""


def hold_of(text: str, analysis: Analysis, decision: Decision, digest: str) -> Hold:
    """What a held text waits for."""
    return Hold(
        text,
        analysis.canonical,
        digest,
        decision.approval,
        refusal_of(decision),
        tuple(dict.fromkeys(doing(effect) for effect in analysis.effects[:MAX_EFFECTS])),
        plannable(analysis),
    )


_LOCKED: Final = (
    "another transaction holds locked what this statement uses, so that nobody can read it"
)
_LATER: Final = "try again when that transaction has ended"


def refusal_of(decision: Decision) -> Refusal:
    """A decision that is no leave, as the client is told."""
    rule = ", ".join(decision.policies)
    return Refusal(DENIED, decision.message, hint=decision.hint, rule=rule)


def refused(decision: Decision, analysis: Analysis, *, partial: bool) -> Refusal:
    """The same; a hold that no approval ends says so, and so does what is locked (`partial`)."""
    refusal = refusal_of(decision)
    if partial and analysis.incomplete:
        return replace(refusal, detail=_LOCKED, hint=_LATER)
    if decision.verdict is Verdict.HOLD and (hint := unapprovable(analysis)):
        return replace(refusal, hint=hint)
    return refusal


def notice(request: AccessRequest, limit_s: int) -> tuple[str, str]:
    """What the client is told while it waits: message and hint."""
    return (
        f"this statement waits up to {limit_s} s for an approval by {request.approval}:"
        f" request {request.id}",
        f"another person types: dbgate approve {request.id}; a cancel (Ctrl-C) takes it back",
    )


def answer(hold: Hold, request: AccessRequest) -> Refusal:
    """What the client is told of a decided request, unless the statement may run now."""
    rule = hold.refusal.rule
    hint = f"dbgate requests show {request.id}"
    if request.state is State.DENIED:
        return Refusal(DENIED, f"request {request.id} was denied{_words(request)}", "", hint, rule)
    if request.state is State.WITHDRAWN:
        return Refusal(CANCELED, f"request {request.id} was withdrawn", "", hint, rule)
    if request.state is State.EXPIRED:
        return Refusal(DENIED, f"nobody decided request {request.id} in time", "", hint, rule)
    gone = f"the approval of request {request.id} does not let this statement run any more"
    return Refusal(DENIED, gone, hold.refusal.message, hint, rule)


def _words(request: AccessRequest) -> str:
    against = [vote for vote in request.votes if vote.choice is Choice.DENY]
    said = [f" by {v.reviewer.name}" + (f": {v.comment}" if v.comment else "") for v in against]
    return one_line("".join(said[:1]), MAX_WORDS_CHARS)


def one_line(text: str, limit: int) -> str:
    """Text of somebody else's as it may stand on a terminal: printable, in one line, not too long."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"
