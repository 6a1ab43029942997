"""An access request and its votes, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dbgate_core.principal import Principal


class State(StrEnum):
    """The states of a request; all but `pending` are final."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Choice(StrEnum):
    """What a reviewer may say."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote. `reviewer` is as the token said at that moment, groups included."""

    reviewer: Principal
    choice: Choice
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A wish for an access role for `duration_s`, or for one exact statement within it.

    `digest` binds a statement (`dbgate_core.approval.digest`), empty otherwise. `approval` is the
    quorum asked for. A pending request lapses at `expires_at`; an approved one's window ends at
    `window_ends_at`; `used_at` is when the one statement was let through. Times are aware UTC.
    Of a statement that is held on the wire reviewers also see its `effects`, and how many rows the
    planner expects it to touch, if that can be told.
    """

    id: str
    database: str
    access_role: str
    requester: Principal
    reason: str
    approval: str
    duration_s: int
    created_at: datetime
    expires_at: datetime
    statement: str = ""
    digest: str = ""
    effects: tuple[str, ...] = ()
    estimated_rows: int | None = None
    state: State = State.PENDING
    decided_at: datetime | None = None
    window_ends_at: datetime | None = None
    used_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
