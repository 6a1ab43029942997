"""`dbgate databases` and `dbgate databases classify`."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer

from dbgate_cli import console, render
from dbgate_cli.commands._shared import Database, Json, broker
from dbgate_core.contract import AccessRoleInfo


def databases(context: typer.Context, json: Json = False) -> None:
    """List the databases, and how you stand to each access role of them."""
    if context.invoked_subcommand is not None:
        return
    with broker() as found:
        listed = found.databases()
    if json:
        for database in listed:
            render.emit(database)
        return
    headers = ("NAME", "ENVIRONMENT", "ENGINE", "ACCESS", "BY APPROVAL", "LABELS")
    render.table(
        headers,
        [
            (
                d.name,
                d.environment,
                d.engine,
                _roles(d.access_roles, "granted"),
                _roles(d.access_roles, "approval"),
                ", ".join(f"{key}={value}" for key, value in sorted(d.labels.items())),
            )
            for d in listed
        ],
    )


def _roles(roles: list[AccessRoleInfo], access: str) -> str:
    return ", ".join(_role(role) for role in roles if role.access == access)


def _role(role: AccessRoleInfo) -> str:
    if role.until is not None:
        return f"{role.name} (until {render.cell(role.until)})"
    return f"{role.name} ({role.approval})" if role.approval else role.name


def classify(
    database: Database,
    everything: Annotated[
        bool, typer.Option("--all", help="Columns that may be shown, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Show which columns hold what, by which evidence. For reviewers and auditors."""
    with broker() as found:
        answer = found.classes(database)
    columns = [one for one in answer.columns if everything or one.classes]
    if json:
        render.emit(msgspec.structs.replace(answer, columns=columns))
        return
    render.table(
        ("COLUMN", "PATH", "CLASS", "SURE", "BY", "BECAUSE"),
        [
            (
                one.column,
                one.path,
                ", ".join(one.classes) or "-",
                f"{one.confidence} %" if one.source else "",
                one.source,
                "; ".join(one.reasons) or f"nothing found in {one.values} values",
            )
            for one in columns
        ],
    )
    if answer.state in _STATES:
        console.note(_STATES[answer.state].format(database=database))
    for name in answer.mistakes:
        console.note(f"error: the reviewed classes name {name}, which is not there")


_STATES: Final = {
    "never": "{database} is looked at when somebody first connects to it",
    "looking": "{database} is being looked at; ask again for the rest",
    "off": "{database} is not sampled (sampling = false): names and types decide",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="List the databases, and how you stand to them.",
        invoke_without_command=True,
        rich_markup_mode=None,
        epilog="Example: dbgate databases --json",
    )
    group.callback()(databases)
    group.command("classify", epilog="Example: dbgate databases classify prod-db")(classify)
    app.add_typer(group, name="databases")
