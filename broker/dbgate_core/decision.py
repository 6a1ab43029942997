"""What policy answers: a verdict, the rules that decided it, and what must be done with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dbgate_core.masking.styles import PARTIAL_FOR_ALL, MaskStyles


class Verdict(StrEnum):
    """Run it, refuse it, or wait for a second person."""

    ALLOW = "allow"
    DENY = "deny"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Obligations:
    """What an allowed statement still owes.

    `mask` is false only when policy grants `unmask` for everything it reads; `row_limit` is the
    most rows it may return, None for no limit; `styles` are what masks may leave. `free_text`: what
    stands within texts that no class covers is masked, too.
    """

    mask: bool = True
    row_limit: int | None = None
    styles: MaskStyles = PARTIAL_FOR_ALL
    free_text: bool = False


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one session may use up, all its connections together; None is without a limit.

    `rows` and `row_bytes` are those of results that pass to the client; `timeout_s` is how long the server may
    work on one statement, or on one pipeline; `rows_affected` is how many rows one text may change. Those of a `day`
    are what all sessions of a principal on a database use up together, from midnight to midnight UTC.
    """

    statements: int | None = None
    rows: int | None = None
    row_bytes: int | None = None
    timeout_s: int | None = None
    rows_affected: int | None = None
    day_statements: int | None = None
    day_rows: int | None = None
    day_row_bytes: int | None = None

    @property
    def of_days(self) -> bool:
        """Is any of them a day's."""
        return any(
            each is not None for each in (self.day_statements, self.day_rows, self.day_row_bytes)
        )

    def as_said(self) -> dict[str, int]:
        """Those that there are, by name."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: limit for name, limit in every.items() if limit is not None}


NO_LIMITS: Final = SessionLimits()


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its reasons.

    `policies` are the `@id`s of the deciding rules (empty for the default deny); `message` and
    `hint` are the words for whoever asked; `approval` is the quorum a hold waits for (`dba:1`),
    and `role` the access role whose sessions then run the statement, empty for its own.
    `limits` are those of a session that may be opened. `observed` are the forbids that only observe and would have stopped it.
    """

    verdict: Verdict
    policies: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    approval: str = ""
    role: str = ""
    obligations: Obligations = field(default_factory=Obligations)
    observed: tuple[str, ...] = ()
    limits: SessionLimits = NO_LIMITS

    @property
    def allowed(self) -> bool:
        """True for `allow` alone."""
        return self.verdict is Verdict.ALLOW
