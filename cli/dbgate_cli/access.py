"""Opening a session, and when there is no grant: say the rule, ask for approval, wait, go on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dbgate_cli import console
from dbgate_cli.client import LONG_POLL_S, Broker
from dbgate_core import contract
from dbgate_core.errors import ApprovalNeeded, DbgateError, Unreachable, UsageError

UNTIL_DECIDED: Final = "until-decided"
"""What a bare `--wait` stands for: as long as the request itself is pending."""
RETRY_S: Final = 2.0
"""Pause between questions when the broker did not answer one (a restart must not end a wait)."""
MAX_FAILURES: Final = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to open. `wait_s` None: not at all; 0: until it is decided."""

    database: str
    access_role: str = ""
    reason: str = ""
    agent: str = ""
    client: str = ""
    wait_s: int | None = None
    duration_s: int = 3600
    hold_s: int = 0
    show_masks: bool = False

    def open(self) -> contract.OpenSession:
        """As the API takes it."""
        return contract.OpenSession(
            database=self.database,
            access_role=self.access_role,
            reason=self.reason,
            client=self.client,
            agent=self.agent,
            hold_s=self.hold_s,
            show_masks=self.show_masks,
        )


Opener = Callable[[contract.OpenSession], contract.OpenedSession]


def open_session(broker: Broker, wish: Wish, opener: Opener) -> contract.OpenedSession:
    """Open a session by `opener`; where an approval is missing and waiting is wished, wait and then open it.

    Raises ApprovalNeeded when it is missing and not waited for, is refused, or does not come in
    time; Denied when policy knows no approval for it.
    """
    try:
        return opener(wish.open())
    except ApprovalNeeded as exc:
        if wish.wait_s is None and not _offer(exc, wish):
            raise _with_hint(exc, wish) from exc
    request = ask(broker, wish)
    decided = wait_for(broker, request, wish.wait_s or 0)
    demand_approved(decided)
    console.note(f"request {decided.id} is approved: going on")
    return opener(wish.open())


def ask(broker: Broker, wish: Wish) -> contract.AccessRequestInfo:
    """Make the access request. One that is pending for the same thing is given instead."""
    role = wish.access_role or _lowest_by_approval(broker, wish.database)
    reason = wish.reason or _ask_reason(wish.database)
    request = broker.ask_access(
        contract.AskAccess(
            database=wish.database, access_role=role, reason=reason, duration_s=wish.duration_s
        )
    )
    console.note(
        f"request {request.id} for {role} on {wish.database} is {request.state}"
        f" and needs {request.approval}"
    )
    return request


def wait_for(
    broker: Broker,
    request: contract.AccessRequestInfo,
    wait_s: int,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> contract.AccessRequestInfo:
    """Wait until a request is decided, by long polls; 0: as long as it is pending.

    Raises ApprovalNeeded when `wait_s` pass first. A broker that does not answer for a moment
    does not end the wait.
    """
    deadline = time.monotonic() + wait_s if wait_s else None
    if request.state == "pending":
        console.note(f"waiting for a decision (another person: dbgate approve {request.id})")
    failures = 0
    while request.state == "pending":
        left = LONG_POLL_S if deadline is None else int(deadline - time.monotonic())
        if left < 1:
            raise ApprovalNeeded(
                f"request {request.id} is still pending",
                hint=f"dbgate requests show {request.id}; it stays, and the wait can go on",
                code="approval.pending",
            )
        try:
            request = broker.request(request.id, min(left, LONG_POLL_S))
            failures = 0
        except Unreachable:
            failures += 1
            if failures > MAX_FAILURES:
                raise
            sleep(RETRY_S)
    return request


def demand_approved(request: contract.AccessRequestInfo) -> None:
    """Raise ApprovalNeeded unless a request is approved, with the reviewers' words."""
    if request.state == "approved":
        return
    words = "; ".join(f"{vote.reviewer}: {vote.comment}" for vote in request.votes if vote.comment)
    raise ApprovalNeeded(
        f"request {request.id} is {request.state}" + (f" ({words})" if words else ""),
        hint=f"dbgate requests show {request.id}",
        code=f"approval.{request.state}",
    )


def local_time(moment: datetime) -> str:
    """A moment as a person reads it: the local time, with the day unless it is today."""
    local = moment.astimezone()
    today = datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def _offer(exc: DbgateError, wish: Wish) -> bool:
    """On a terminal, explain and offer to ask for approval."""
    if not (console.interactive() and sys.stdout.isatty()):
        return False
    console.note(exc.message + (f" (rule {exc.rule})" if exc.rule else ""))
    return console.confirm(f"request approval for {wish.database} and wait?")


def _with_hint(exc: ApprovalNeeded, wish: Wish) -> ApprovalNeeded:
    role = f" --role {wish.access_role}" if wish.access_role else ""
    hint = (
        f"dbgate request-approval {wish.database}{role} --reason '...', "
        "or the same command with --wait --reason '...'"
    )
    return ApprovalNeeded(exc.message, hint=exc.hint or hint, code=exc.code, rule=exc.rule)


def _lowest_by_approval(broker: Broker, database: str) -> str:
    for found in broker.databases():
        if found.name == database:
            for role in found.access_roles:
                if role.access == "approval":
                    return role.name
    raise UsageError(f"there is no access role of {database} to ask for", hint="dbgate databases")


def _ask_reason(database: str) -> str:
    reason = console.ask(f"why do you need {database}?") if console.interactive() else ""
    if not reason:
        raise UsageError("a request needs a reason", hint="--reason 'TICKET-1: what for'")
    return reason
