"""`dbgate policy suggest`: the least rules for what somebody did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dbgate_cli import console, policy_files, recorded, render
from dbgate_cli.commands import _shared as shared
from dbgate_cli.commands.policy_diff import Log
from dbgate_cli.durations import Window, window
from dbgate_core.errors import NotFound

if TYPE_CHECKING:
    from dbgate_core.policy.records import Recorded
    from dbgate_core.policy.suggesting import Usage

EXAMPLE = "Example: dbgate policy suggest --for ci --used 30d.. > ci.cedar"


def suggest(
    who: Annotated[str, typer.Option("--for", metavar="PRINCIPAL", help="For whom.")],
    used: Annotated[
        str, typer.Option("--used", metavar="FROM..TO", help="What was used then.")
    ] = "30d..",
    log: Log = None,
    json: shared.Json = False,
) -> None:
    """Write the least rules that permit what somebody did, and nothing else.

    What ran by a second person's approval is left out. The rules are checked, and what was recorded
    is replayed under them, before they are shown.
    """
    policy_files.demand_judge()
    stretch = window(used, datetime.now(UTC))
    from dbgate_core.policy.suggesting import suggestion, usage

    found = usage(_of(who, stretch, log))
    text = suggestion(found)
    if not text:
        raise NotFound(f"nothing that {who} was allowed to run is on record in {used}")
    _prove(found, text)
    if json:
        render.emit(_as_json(who, found, text))
        return
    for line in (*_head(who, used, found), *text.splitlines()):
        render.line(line)


def _of(who: str, stretch: Window, log: Path | None) -> Iterator[Recorded]:
    """The statements that the principal itself sent; not those of who acts for it."""
    if log is not None:
        found = recorded.statements(recorded.of_folder(log, stretch), {})
        yield from (each for each in found if each.subject.principal.name == who)
        return
    with shared.broker() as broker:
        entries = recorded.of_broker(broker, stretch, {"principal": who})
        found = recorded.statements(entries, {})
        yield from (each for each in found if each.subject.principal.name == who)


def _prove(found: Usage, text: str) -> None:
    """Load the rules, and replay what was used: it must pass. Raises UsageError, RuntimeError."""
    from dbgate_core.policy.replay import replay

    rules = policy_files.of_text(text)
    if replay(rules, rules, found.allowed).refused:
        raise RuntimeError("the suggested rules refuse what they were made of")


def _head(who: str, used: str, found: Usage) -> Iterator[str]:
    yield f"// What {console.clean(who)} used, {used}: {len(found.allowed)} statements."
    if found.approved:
        yield f"// {found.approved} that ran by an approval are left out."
    yield ""


def _as_json(who: str, found: Usage, text: str) -> dict[str, Any]:
    used = [
        {
            "who": {"kind": actor.uid[0], "name": actor.uid[1]},
            "database": way.database,
            "access_role": way.access_role,
            "action": way.action,
            "kind": way.kind,
            "detail": way.detail,
            "predicate": way.predicate,
            "danger": way.danger,
            "objects": sorted(each.objects),
            "count": each.count,
            "first": each.first,
            "last": each.last,
        }
        for (actor, way), each in found.ways.items()
    ]
    return {
        "for": who,
        "statements": len(found.allowed),
        "approved": found.approved,
        "used": used,
        "policy": text,
    }
