"""Who the broker takes us for. Apart from its command: `app` calls it past typer.

And past `client`: prompts and scripts call it often, and the contract's structs, with what they are
made of, take longer to import than the broker takes to answer. What is read here is only shown.
"""

from __future__ import annotations

from datetime import datetime
from json import loads
from typing import Any, Final

from dbgate_cli import render, settings
from dbgate_cli.auth import Identity
from dbgate_cli.http import Channel, tls_context
from dbgate_core.errors import DbgateError

TARGET: Final = "/v1/whoami"
FACTS: Final[dict[str, tuple[type, ...]]] = {
    "kind": (str,), "name": (str,), "issuer": (str,), "subject": (str,), "groups": (list,),
    "email": (str,), "on_behalf_of": (str,), "expires_at": (str, type(None)),
}  # fmt: skip
"""The fields of contract.PrincipalInfo, which a test compares."""


def show(*, json: bool) -> None:
    """Ask the broker, and show its answer with where the login is kept."""
    where = settings.load()
    identity = Identity(where)
    facts = _asked(where, identity)
    if json:
        render.emit_plain({**facts, "broker": where.broker, "store": identity.source})
        return
    expires = facts["expires_at"]
    render.facts(
        [
            ("name", facts["name"]),
            ("kind", facts["kind"].lower()),
            ("on behalf of", facts["on_behalf_of"]),
            ("groups", ", ".join(facts["groups"])),
            ("email", facts["email"]),
            ("issuer", facts["issuer"]),
            ("subject", facts["subject"]),
            ("expires", datetime.fromisoformat(expires) if expires else None),
            ("broker", where.broker),
            ("login", identity.source),
        ]
    )


def _asked(where: settings.Settings, identity: Identity) -> dict[str, Any]:
    channel = Channel(where.require_broker(), tls_context(where.ca_file), name="the broker")
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {identity.token().expose()}",
    }
    try:
        reply = channel.send("GET", TARGET, headers=headers)
    finally:
        channel.close()
    if not 200 <= reply.status < 300:
        from dbgate_cli.client import problem_error

        raise problem_error(reply.status, reply.body)
    return read(reply.body)


def read(body: bytes) -> dict[str, Any]:
    """The facts of an answer, each of its type. Raises DbgateError for another answer."""
    try:
        found = loads(body)
        facts = {name: found[name] for name in FACTS}
    except (ValueError, TypeError, KeyError) as exc:
        raise _strange() from exc
    if not all(isinstance(facts[name], kinds) for name, kinds in FACTS.items()):
        raise _strange()
    if not all(isinstance(group, str) for group in facts["groups"]):
        raise _strange()
    return facts


def _strange() -> DbgateError:
    return DbgateError(
        "the broker's answer to GET /whoami is not understood",
        hint="is DBGATE_BROKER a dbgate broker, of a version that fits?",
        code="contract",
    )
