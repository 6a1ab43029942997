"""`dbgate databases`."""

from __future__ import annotations

import typer

from dbgate_cli import render
from dbgate_cli.commands._shared import Json, broker
from dbgate_core.contract import AccessRoleInfo


def databases(json: Json = False) -> None:
    """List the databases, and how you stand to each access role of them."""
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


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate databases --json")(databases)
