"""Principals and databases as Cedar entities.

An agent is asked about twice: as itself, and as whom it acts for. What it may is what both may.
An agent that somebody merely *says* is at the wheel (`--agent NAME`) is asked about in the same
way: saying so can only take rights away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.database import DatabaseFacts
from dbgate_core.policy.cedar import Json
from dbgate_core.principal import Principal, PrincipalKind

PRODUCTION: Final = "production"
PRODUCTION_ALIASES: Final = frozenset({"", "prod", "prd", "live"})
"""Environments that lie in `production`: another spelling, or none, must not loosen the rules."""
MAX_CHAIN: Final = 8
"""An agent's agent's agent: longer chains are a mistake or an attack."""
BROKER: Final = ("Broker", "dbgate")


@dataclass(frozen=True, slots=True)
class Actor:
    """One link of the chain. `verified` is false for an agent that was only asserted."""

    kind: PrincipalKind
    name: str
    issuer: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    on_behalf_of: str = ""
    verified: bool = True

    @property
    def uid(self) -> tuple[str, str]:
        """Type and id."""
        return str(self.kind), self.name


def actors(principal: Principal) -> tuple[Actor, ...]:
    """Everybody who must be permitted; empty when the chain is broken or too long: nobody may.

    An agent that acts for nobody has no rights of its own.
    """
    found: list[Actor] = []
    link: Principal | None = principal
    while link is not None:
        if len(found) > MAX_CHAIN or not link.name:
            return ()
        if (link.kind is PrincipalKind.AGENT) != (link.on_behalf_of is not None):
            return ()
        found.append(_actor(link))
        if link.asserted_agent:
            human = link.human.name
            found.append(
                Actor(PrincipalKind.AGENT, link.asserted_agent, on_behalf_of=human, verified=False)
            )
        link = link.on_behalf_of
    return tuple(found)


def entities(actor: Actor, database: DatabaseFacts | None) -> list[Json]:
    """The entities that a question of this actor about this database needs."""
    found: list[Json] = [
        _entity(actor.uid, _attributes(actor), [("Group", name) for name in sorted(actor.groups)])
    ]
    if database is None:
        return [*found, _entity(BROKER, {}, [])]
    environment = ("Environment", _environment(database.environment))
    inside = [("Environment", PRODUCTION)] if environment[1] in PRODUCTION_ALIASES else []
    attributes = {
        "name": database.name,
        "engine": database.engine,
        "environment": database.environment,
    }
    labels = dict(sorted(database.labels))
    return [
        *found,
        _entity(environment, {}, inside),
        {**_entity(database_uid(database), attributes, [environment]), "tags": labels},
    ]


def database_uid(database: DatabaseFacts | None) -> tuple[str, str]:
    """The resource: a database, or the broker itself."""
    return BROKER if database is None else ("Database", database.name)


def _actor(link: Principal) -> Actor:
    human = link.human.name if link.on_behalf_of else ""
    return Actor(link.kind, link.name, link.issuer, link.email, link.groups, human)


def _attributes(actor: Actor) -> Json:
    common = {"name": actor.name, "issuer": actor.issuer}
    if actor.kind is PrincipalKind.AGENT:
        return {**common, "on_behalf_of": actor.on_behalf_of, "verified": actor.verified}
    if actor.kind is PrincipalKind.USER:
        return {**common, "email": actor.email}
    return common


def _environment(name: str) -> str:
    return name.strip().casefold()


def _entity(uid: tuple[str, str], attributes: Json, parents: list[tuple[str, str]]) -> Json:
    return {"uid": _uid(uid), "attrs": attributes, "parents": [_uid(parent) for parent in parents]}


def _uid(uid: tuple[str, str]) -> Json:
    return {"type": uid[0], "id": uid[1]}
