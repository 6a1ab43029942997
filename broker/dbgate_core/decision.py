"""What policy answers: a verdict, the rules that decided it, and what must be done with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """Run it, refuse it, or wait for a second person."""

    ALLOW = "allow"
    DENY = "deny"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Obligations:
    """What an allowed statement still owes.

    `mask` is false only when policy grants `unmask` for everything it reads; `row_limit` is the
    most rows it may return, None for no limit.
    """

    mask: bool = True
    row_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons.

    `policies` are the `@id`s of the deciding rules (empty for the default deny); `message` and
    `hint` are the words for whoever asked; `approval` is the quorum a hold waits for (`dba:1`),
    and `role` the access role whose sessions then run the statement, empty for its own.
    `observed` are the forbids that only observe and would have stopped it.
    """

    verdict: Verdict
    policies: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    approval: str = ""
    role: str = ""
    obligations: Obligations = field(default_factory=Obligations)
    observed: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """True for `allow` alone."""
        return self.verdict is Verdict.ALLOW
