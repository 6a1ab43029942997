"""`dbgate logout`."""

from __future__ import annotations

import typer

from dbgate_cli import console, render, settings
from dbgate_cli.commands._shared import Json
from dbgate_cli.token_store import Login, TokenStore
from dbgate_core.errors import DbgateError


def logout(json: Json = False) -> None:
    """Forget the login, and tell the issuer to forget it too."""
    where = settings.load()
    store = TokenStore(where.home)
    broker = where.require_broker()
    try:
        found = store.load(broker)
    except DbgateError:
        found = None
    was = store.remove(broker)
    if found is not None and found.refresh_token is not None:
        _revoke(where, found)
    if json:
        render.emit({"signed_out": was})
    else:
        render.line("signed out" if was else "there was no login")


def _revoke(where: settings.Settings, found: Login) -> None:
    """Revoke the refresh token at the issuer, if it can be; here it is gone already."""
    from dbgate_cli.http import tls_context
    from dbgate_cli.oidc import Issuer

    try:
        issuer = Issuer(found.issuer, found.client_id, tls_context(where.ca_file, system=True))
        if found.refresh_token is not None:
            issuer.revoke(found.refresh_token)
    except DbgateError as exc:
        console.note(f"forgotten here; the issuer was not told: {exc.message}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate logout")(logout)
