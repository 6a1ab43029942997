"""From verified claims to a principal: user, workload or agent.

Rules of the issuer's configuration are tried in order. A rule that matches makes a workload (or
an agent); when none does, the token is a user's.

An agent is never somebody by itself. Either the token is the user's and carries an `act` claim
(RFC 8693, section 4.1): then its actor is an agent that acts for the token's subject, rule or no
rule. Or a rule says that the token is an agent's own: then it must carry the claim
`on_behalf_of`, an object with the `sub`, name and groups claims of whom it acts for. Otherwise
the token is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from dbgate_broker.config import IssuerConfig, PrincipalRule
from dbgate_broker.identity.claims import MAX_SUBJECT_CHARS
from dbgate_broker.identity.token import refusal
from dbgate_core.principal import Principal, PrincipalKind

MAX_NAME_CHARS: Final = 200
MAX_GROUPS: Final = 1000
MAX_ACTORS: Final = 4
"""The longest chain of actors: each is one agent that acts for the one before."""
ON_BEHALF_OF: Final = "on_behalf_of"
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that cannot be seen, or that turn what follows around."""

Claims = Mapping[str, Any]


def principal(claims: Claims, issuer: IssuerConfig) -> Principal:
    """The principal that verified claims stand for. Raises NotSignedIn when they name none."""
    agent_rule = _first(claims, issuer, agents=True)
    if "act" in claims:
        return _acting(claims, issuer, agent_rule)
    if agent_rule is not None and agent_rule is _first(claims, issuer):
        return _agent(claims, agent_rule, issuer, _represented(claims, issuer))
    return _subject(claims, issuer)


def matches(rule: PrincipalRule, claims: Claims) -> bool:
    """Whether all claims of the rule are equal; a claim that is a list must hold the value.

    `act.sub` and the like look into the `act` claim.
    """
    return all(_equal(_claim(claims, name), wanted) for name, wanted in rule.match.items())


def _claim(claims: Claims, name: str) -> object:
    if name.startswith("act."):
        actor = claims.get("act")
        return actor.get(name.removeprefix("act.")) if isinstance(actor, dict) else None
    return claims.get(name)


def _equal(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return ("true" if value else "false") == wanted
    return wanted in value if isinstance(value, list) else value == wanted


def _first(
    claims: Claims, issuer: IssuerConfig, agents: bool | None = None
) -> PrincipalRule | None:
    """The first rule that matches: among those for agents, among the others, or among all."""
    for rule in issuer.principals:
        kind_fits = agents is None or (rule.kind == PrincipalKind.AGENT) is agents
        if kind_fits and matches(rule, claims):
            return rule
    return None


def _subject(claims: Claims, issuer: IssuerConfig) -> Principal:
    """Whom the token itself is about: a user, or what a rule says."""
    rule = _first(claims, issuer, agents=False)
    groups = frozenset(rule.groups) if rule and rule.groups else _groups(claims, issuer)
    email = claims.get("email")
    shown = isinstance(email, str) and readable(email) and claims.get("email_verified") is not False
    return Principal(
        kind=PrincipalKind(rule.kind) if rule else PrincipalKind.USER,
        name=(rule.name if rule else "") or _name(claims, issuer),
        issuer=issuer.url,
        subject=_text(claims, "sub", MAX_SUBJECT_CHARS),
        groups=groups,
        email=str(email) if shown else "",
    )


def _name(claims: Claims, issuer: IssuerConfig) -> str:
    """The name claim. An address that nobody verified is whatever its owner typed: no name."""
    if issuer.name_claim == "email" and claims.get("email_verified") is not True:
        raise refusal("the token's email is its name, and is not verified")
    return _text(claims, issuer.name_claim, MAX_NAME_CHARS)


def _acting(claims: Claims, issuer: IssuerConfig, rule: PrincipalRule | None) -> Principal:
    """The current actor, as an agent of the actor before it, and so on down to the subject."""
    current, *earlier = _actors(claims, issuer)
    for_whom = _subject(claims, issuer)
    for actor in reversed(earlier):
        for_whom = _agent(actor, None, issuer, for_whom)
    return _agent(current, rule, issuer, for_whom)


def _actors(claims: Claims, issuer: IssuerConfig) -> list[Claims]:
    """The `act` claims, the current actor's first; the nested ones are of earlier actors."""
    actors: list[Claims] = []
    within = claims
    while "act" in within:
        actor = within["act"]
        if not isinstance(actor, dict) or len(actors) == MAX_ACTORS:
            raise refusal(f"the token's `act` is not a chain of at most {MAX_ACTORS} actors")
        if actor.get("iss", issuer.url) != issuer.url:
            raise refusal("the token's actor is of another issuer")
        actors.append(actor)
        within = actor
    return actors


def _agent(
    claims: Claims, rule: PrincipalRule | None, issuer: IssuerConfig, for_whom: Principal
) -> Principal:
    """An agent; its groups are its rule's alone, never those of whom it acts for."""
    named = issuer.name_claim if issuer.name_claim in claims else "sub"
    return Principal(
        kind=PrincipalKind.AGENT,
        name=(rule.name if rule else "") or _text(claims, named, MAX_NAME_CHARS),
        issuer=issuer.url,
        subject=_text(claims, "sub", MAX_SUBJECT_CHARS),
        groups=frozenset(rule.groups) if rule else frozenset(),
        on_behalf_of=for_whom,
    )


def _represented(claims: Claims, issuer: IssuerConfig) -> Principal:
    """Whom an agent's own token says that it acts for: a user, or a workload by its rule."""
    whom = claims.get(ON_BEHALF_OF)
    if not isinstance(whom, dict):
        raise refusal("an agent's token must say whom the agent acts for")
    return _subject(whom, issuer)


def _groups(claims: Claims, issuer: IssuerConfig) -> frozenset[str]:
    value = claims.get(issuer.groups_claim, [])
    if not isinstance(value, list) or len(value) > MAX_GROUPS:
        raise refusal(f"the token's claim `{issuer.groups_claim}` is not a list of groups")
    if not all(isinstance(group, str) and readable(group) for group in value):
        raise refusal(f"the token's claim `{issuer.groups_claim}` holds what is not a group's name")
    return frozenset(value)


def _text(claims: Claims, name: str, max_chars: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not readable(value, max_chars):
        raise refusal(f"the token's claim `{name}` is missing or not a plain name")
    return value


def readable(text: str, max_chars: int = MAX_NAME_CHARS) -> bool:
    """Whether people can read it for what it is: not empty, nothing invisible, no blank ends."""
    return (
        0 < len(text) <= max_chars
        and text == text.strip()
        and not any(unicodedata.category(char) in _HIDDEN for char in text)
    )
