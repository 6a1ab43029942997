"""The demo's people, databases and rules, as values; and the notation of the tables of cases."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from dbgate_broker.policies import read_policies, shipped
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision
from dbgate_core.policy import Policies
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate

POLICIES = Path(__file__).parents[3] / "policies"
SCHEMA = (POLICIES / "schema.cedarschema").read_text()
ISSUER = "https://issuer.example"
ROLES = ("readonly", "readwrite", "admin")


def person(
    name: str,
    *groups: str,
    kind: PrincipalKind = PrincipalKind.USER,
    behind: Principal | None = None,
) -> Principal:
    """A principal of the demo's issuer."""
    return Principal(kind, name, ISSUER, f"sub-{name}", frozenset(groups), on_behalf_of=behind)


ALICE = person("alice", "developers")
BOB = person("bob", "dba")
CAROL = person("carol", "auditors")
DAVE = person("dave")
CI = person("ci", "ci", kind=PrincipalKind.WORKLOAD)
COPILOT = person("copilot", "agents", kind=PrincipalKind.AGENT, behind=ALICE)
PEOPLE = {
    "alice": ALICE,
    "bob": BOB,
    "carol": CAROL,
    "dave": DAVE,
    "ci": CI,
    "copilot": COPILOT,
    "alice+agent": replace(ALICE, asserted_agent="helper"),
    "bob+agent": replace(BOB, asserted_agent="helper"),
    "dave's-agent": person("copilot", "agents", kind=PrincipalKind.AGENT, behind=DAVE),
    "bob's-agent": person("copilot", "agents", "dba", kind=PrincipalKind.AGENT, behind=BOB),
    "job-dba": person("cron", "ci", "dba", kind=PrincipalKind.WORKLOAD),
}
PRODUCTION = DatabaseFacts("prod-db", "production", frozenset({("team", "shop")}))
DEVELOPMENT = DatabaseFacts("dev-db", "development")
DATABASES = {"prod": PRODUCTION, "dev": DEVELOPMENT}


@cache
def default() -> Policies:
    """The shipped default policies."""
    return read_policies(shipped("default"))


@cache
def permissive() -> Policies:
    """The shipped permissive policies."""
    return read_policies(shipped("permissive"))


def rules(*texts: str) -> Policies:
    """Policies of texts, one file each."""
    return Policies.load({f"{i}.cedar": text for i, text in enumerate(texts)}, SCHEMA)


EVERYTHING = '@id("everything") permit(principal, action, resource);'


def analysis(*effects: Effect, text: str = "select 1", statements: int = 1) -> Analysis:
    """An analysis of these effects."""
    return Analysis(text, text.strip(" ;\n"), statements, effects)


def effect(text: str) -> Effect:
    """`action [kind [object]] [predicate=] [danger=] [detail=] [columns=a,b]`."""
    plain: list[str] = []
    more: dict[str, str] = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if equals:
            more[name] = value
        else:
            plain.append(word)
    action, kind, named = (*plain, "", "")[:3]
    return Effect(
        Action(action),
        named,
        kind.replace("_", " "),
        Predicate(more.pop("predicate", "")),
        Danger(more.pop("danger", "")),
        more.pop("detail", ""),
        frozenset(filter(None, more.pop("columns", "").split(","))),
    )


@dataclass(frozen=True, slots=True)
class Case:
    """One expected decision; `subject` is an effect, a text of SQL, or an action."""

    who: str
    database: str
    role: str
    subject: str
    verdict: str
    rules: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.who} {self.database} {self.role}: {self.subject}"

    @property
    def principal(self) -> Principal:
        return PEOPLE[self.who]


def cases(name: str) -> list[Case]:
    """All cases of a table: rows of `who,.. | database,.. | role,.. | subject | verdict | rules`; `*` is each database or role."""
    found: list[Case] = []
    for line in (Path(__file__).parent / "cases" / name).read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        who, database, role, subject, verdict, ids = (part.strip() for part in line.split(" | "))
        for one, where, as_role in product(
            who.split(","),
            DATABASES if database == "*" else database.split(","),
            ROLES if role == "*" else role.split(","),
        ):
            rule_ids = tuple(ids.replace("-none-", "").split())
            found.append(Case(one, where, as_role, subject, verdict, rule_ids))
    return found


def said(decision: Decision) -> tuple[str, tuple[str, ...]]:
    """What a case tells of a decision: the ids sorted, so that files may be reordered."""
    return str(decision.verdict), tuple(sorted(decision.policies))
