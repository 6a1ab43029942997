"""`dbgate login`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dbgate_cli import login as flows
from dbgate_cli import render, settings
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.commands._shared import Json
from dbgate_cli.token_store import Login, Place, TokenStore
from dbgate_cli.tokens import claims, display_name
from dbgate_core.errors import UsageError

STORED = "keyring: the OS keyring; memory: until this machine restarts; file: on disk"


def login(
    device: Annotated[
        bool, typer.Option("--device", help="Show a code to type on another device.")
    ] = False,
    as_name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Developer mode: sign in as this person.")
    ] = "",
    store: Annotated[Place | None, typer.Option("--store", help=STORED)] = None,
    broker_url: Annotated[
        str, typer.Option("--broker", metavar="URL", help="Use this broker from now on.")
    ] = "",
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="PEM file of that broker's authority.")
    ] = None,
    json: Json = False,
) -> None:
    """Sign in through single sign-on, in a browser or with a code."""
    if device and as_name:
        raise UsageError("--device and --as exclude each other")
    where = settings.load()
    if broker_url:
        where = replace(
            where,
            broker=broker_url.rstrip("/"),
            ca_file=ca_file.expanduser() if ca_file else where.ca_file,
        )
    broker = Broker(where, Identity(where).token)
    try:
        issuer = flows.issuer_of(where, broker.discovery())
    finally:
        broker.close()
    if as_name:
        found = flows.as_person(issuer, as_name)
    elif device:
        found = flows.with_device(issuer)
    else:
        found = flows.with_browser(issuer)
    if broker_url:
        where = settings.save(where, broker=where.broker, ca_file=where.ca_file)
    kept = TokenStore(where.home).save(where.broker, found, store)
    _show(found, kept, json)


def _show(found: Login, kept: Place, json: bool) -> None:
    name = display_name(claims(found.id_token))
    if json:
        render.emit({"name": name, "issuer": found.issuer, "store": kept.value})
    else:
        render.line(f"signed in as {name} at {found.issuer} (kept in: {kept.value})")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate login --device")(login)
