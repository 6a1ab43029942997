"""Who the broker takes us for. Apart from its command: `app` calls it past typer."""

from __future__ import annotations

from dbgate_cli import render, settings
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker


def show(*, json: bool) -> None:
    """Ask the broker, and show its answer with where the login is kept."""
    where = settings.load()
    identity = Identity(where)
    broker = Broker(where, identity.token)
    try:
        info = broker.whoami()
    finally:
        broker.close()
    if json:
        import msgspec

        values = msgspec.to_builtins(info)
        render.emit({**values, "broker": where.broker, "store": identity.source})
        return
    render.facts(
        [
            ("name", info.name),
            ("kind", info.kind.lower()),
            ("on behalf of", info.on_behalf_of),
            ("groups", ", ".join(info.groups)),
            ("email", info.email),
            ("issuer", info.issuer),
            ("subject", info.subject),
            ("expires", info.expires_at),
            ("broker", where.broker),
            ("login", identity.source),
        ]
    )
