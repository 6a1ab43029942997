"""`dbgate policy diff`: what other rules would have done to what was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dbgate_cli import console, policy_files, policy_replaying, recorded, render
from dbgate_cli.commands import _shared as shared
from dbgate_cli.durations import Window, window
from dbgate_core.errors import UsageError

if TYPE_CHECKING:
    from dbgate_core.policy import Policies
    from dbgate_core.policy.replay import Replayed

EXAMPLE = "Example: dbgate policy diff default my-policies --replay 7d.."
Log = Annotated[
    Path | None,
    typer.Option("--log", help="A log's folder, or a copy of it, instead of the broker's log."),
]
Cases = Annotated[
    Path | None,
    typer.Option("--cases", help="With --log: a case file that has the databases' labels."),
]


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Policy folder, or a shipped one.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The same.")],
    replay: Annotated[
        str,
        typer.Option(
            "--replay",
            metavar="FROM..TO",
            help="Decide what was recorded then by both: 2026-01-01..2026-02-01, or 7d.. (ago).",
        ),
    ] = "",
    log: Log = None,
    cases: Cases = None,
    json: shared.Json = False,
) -> int:
    """Compare two sets of rules, and what they make of recorded statements.

    Ends with 4 when something would be newly denied, 5 when something would be newly held, else 0.
    """
    if not replay and (log or cases):
        raise UsageError("--log and --cases go with --replay")
    before, after = policy_files.usable([old]), policy_files.usable([new])
    from dbgate_core.policy.comparing import compare

    found = (
        _replayed(before, after, window(replay, datetime.now(UTC)), log, cases) if replay else None
    )
    told = policy_replaying.as_json(before, after, compare(before, after), found)
    if json:
        render.emit(told)
    else:
        policy_replaying.show(told)
    return _code(found)


def _replayed(
    before: Policies, after: Policies, stretch: Window, log: Path | None, cases: Path | None
) -> Replayed:
    from dbgate_core.policy.replay import replay as decided

    if before.looks_at("email") or after.looks_at("email"):
        console.note("entries hold no e-mail addresses: rules that look at them see none")
    if log is not None:
        facts = recorded.facts_of_cases(cases) if cases else {}
        return decided(before, after, recorded.statements(recorded.of_folder(log, stretch), facts))
    if cases is not None:
        raise UsageError("--cases goes with --log: the broker knows its databases")
    with shared.broker() as broker:
        facts = recorded.facts_of_broker(broker)
        found = recorded.of_broker(broker, stretch, {})
        return decided(before, after, recorded.statements(found, facts))


def _code(found: Replayed | None) -> int:
    from dbgate_core.policy.replay import Change

    if found is None:
        return 0
    return 4 if found.counts[Change.DENIED] else 5 if found.counts[Change.HELD] else 0
