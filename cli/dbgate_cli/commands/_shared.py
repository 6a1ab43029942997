"""What commands share: common options, the broker as the signed-in principal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from dbgate_cli import console, settings
from dbgate_cli.access import UNTIL_DECIDED, Wish
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.durations import seconds
from dbgate_cli.settings import Settings
from dbgate_core.contract import PrincipalInfo

Json = Annotated[bool, typer.Option("--json", help="JSON: one object, or one object a line.")]
Database = Annotated[
    str, typer.Argument(metavar="DATABASE", help="A name from `dbgate databases`.")
]
Role = Annotated[
    str, typer.Option("--role", help="Access role; without it the lowest that policy grants.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why: for reviewers and the audit log.")]
Wait = Annotated[
    str,
    typer.Option(
        "--wait",
        metavar="[=DURATION]",
        help="Without a grant, request one, wait for the decision, and go on.",
    ),
]
For = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, once approved.")]
Hold = Annotated[
    str,
    typer.Option(
        "--hold",
        metavar="DURATION",
        help="How long a statement that takes an approval waits for it; 0: refused at once. "
        "Without it 10m on a terminal, else 0.",
    ),
]
ShowMasks = Annotated[
    bool, typer.Option("--show-masks", help="A NOTICE says of each result what was masked.")
]
HOLD_ON_TERMINAL = "10m"
AgentName = Annotated[
    str, typer.Option("--agent", help="Name of the AI agent that drives this session.")
]


@contextmanager
def broker(given: Settings | None = None) -> Iterator[Broker]:
    """The broker of the settings, as whoever is signed in; on a terminal, sign in first."""
    where = given or settings.load()
    ensure_signed_in(where)
    found = Broker(where, Identity(where).token)
    try:
        yield found
    finally:
        found.close()


def ensure_signed_in(where: Settings) -> None:
    """On a terminal and without a login, run the login."""
    where.require_broker()
    if Identity(where).source or not console.interactive():
        return
    from dbgate_cli import login
    from dbgate_cli.token_store import TokenStore

    console.note("not signed in yet")
    anonymous = Broker(where, Identity(where).token)
    try:
        issuer = login.issuer_of(where, anonymous.discovery())
    finally:
        anonymous.close()
    TokenStore(where.home).save(where.broker, login.with_browser(issuer))


def wish_of(
    database: str,
    role: str,
    reason: str,
    wait: str,
    duration: str,
    agent: str,
    client: str,
    hold: str,
    show_masks: bool,
) -> Wish:
    """The options of a command that opens a session, as one value."""
    return Wish(
        database=database,
        access_role=role,
        reason=reason,
        agent=agent,
        client=client,
        wait_s=wait_seconds(wait),
        duration_s=seconds(duration),
        hold_s=hold_seconds(hold),
        show_masks=show_masks,
    )


def hold_seconds(text: str) -> int:
    """The value of `--hold`. Only where a person looks on is waiting the default."""
    wanted = text or (HOLD_ON_TERMINAL if sys.stderr.isatty() else "0")
    return 0 if wanted == "0" else seconds(wanted)


def wait_seconds(text: str) -> int | None:
    """The value of `--wait`: None when it is not there, 0 for as long as it takes."""
    if not text:
        return None
    return 0 if text == UNTIL_DECIDED else seconds(text)


def person(info: PrincipalInfo) -> str:
    """A principal in one cell: an agent stands with the person it acts for."""
    return f"{info.name} for {info.on_behalf_of}" if info.on_behalf_of else info.name
