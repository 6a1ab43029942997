"""Case files: who asks for what, and what is expected. TOML, read whole or refused.

[people.alice]
groups = ["developers"]

[databases.prod-db]
environment = "production"
tables = "create table customers (id int, email text)"

[[case]]
as = "alice"
database = "prod-db"
sql = "drop table customers"
verdict = "hold"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from dbgate_core.catalog import Catalog
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Verdict
from dbgate_core.errors import DbgateError, UsageError
from dbgate_core.policy.sketch import sketch
from dbgate_core.principal import Principal, PrincipalKind

MAX_CASES: Final = 10_000
ISSUER: Final = "https://issuer.example"
_HINT: Final = "docs/policy.md says how cases are written"
_MAX_CHAIN: Final = 8


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Person(_Section, frozen=True, kw_only=True):
    """Somebody; `agent` names an agent that is only said to drive the session."""

    kind: Literal["user", "workload", "agent"] = "user"
    groups: list[str] = []
    on_behalf_of: str = ""
    agent: str = ""
    email: str = ""
    issuer: str = ISSUER


class Place(_Section, frozen=True, kw_only=True):
    """A database; `tables` are CREATE statements."""

    environment: str = ""
    engine: str = "postgresql"
    labels: dict[str, str] = {}
    tables: str = ""


class Case(_Section, frozen=True, kw_only=True):
    """One question, a statement's or a duty's, and what is expected; what is not said may be anything."""

    who: str = msgspec.field(name="as")
    database: str
    role: str = "readonly"
    sql: str = ""
    ask: Literal["", "connect", "request", "approve", "session_kill", "audit_read"] = ""
    verdict: Verdict
    rules: list[str] | None = None
    observed: list[str] | None = None
    approval: str | None = None
    rows: Annotated[int, msgspec.Meta(ge=0)] | None = None
    masked: bool | None = None
    has_reason: bool = False


class _File(_Section, frozen=True, kw_only=True):
    people: dict[str, Person] = {}
    databases: dict[str, Place] = {}
    case: Annotated[list[Case], msgspec.Meta(max_length=MAX_CASES)] = []


@dataclass(frozen=True, slots=True)
class Setting:
    """A database and what it holds."""

    facts: DatabaseFacts
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Cases:
    """A case file, its names resolved. `lines` says where each case begins."""

    people: dict[str, Principal]
    settings: dict[str, Setting]
    cases: tuple[Case, ...]
    lines: tuple[int, ...]


def read_cases(text: str) -> Cases:
    """The cases of a text. Raises UsageError with the first thing that is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(text), _File)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as exc:
        raise UsageError(str(exc), hint=_HINT) from exc
    people = {name: _principal(found.people, name, 0) for name in found.people}
    settings = {name: _setting(name, place) for name, place in found.databases.items()}
    lines = _lines(text, len(found.case))
    for case, line in zip(found.case, lines, strict=True):
        _demand(case, line, people, settings)
    return Cases(people, settings, tuple(found.case), lines)


def _principal(people: dict[str, Person], name: str, depth: int) -> Principal:
    person = people.get(name)
    if person is None:
        raise UsageError(f"there is no [people.{name}]", hint=_HINT)
    if depth > _MAX_CHAIN:
        raise UsageError(f"on_behalf_of of {name} leads nowhere", hint=_HINT)
    if (person.kind == "agent") != bool(person.on_behalf_of):
        raise UsageError(
            f"{name}: an agent, and nobody else, acts on_behalf_of somebody", hint=_HINT
        )
    behind = person.on_behalf_of
    return Principal(
        PrincipalKind(person.kind.title()),
        name,
        person.issuer,
        name,
        frozenset(person.groups),
        person.email,
        _principal(people, behind, depth + 1) if behind else None,
        person.agent,
    )


def _setting(name: str, place: Place) -> Setting:
    facts = DatabaseFacts(name, place.environment, frozenset(place.labels.items()), place.engine)
    try:
        return Setting(facts, sketch(place.tables))
    except DbgateError as exc:
        raise UsageError(f"the tables of {name}: {exc.message}", hint=exc.hint) from exc


def _demand(
    case: Case, line: int, people: dict[str, Principal], settings: dict[str, Setting]
) -> None:
    """Raise UsageError for a case that asks nothing, two things, or about nobody."""
    if case.who not in people:
        raise UsageError(f"line {line}: there is no [people.{case.who}]", hint=_HINT)
    if case.database not in settings:
        raise UsageError(f"line {line}: there is no [databases.{case.database}]", hint=_HINT)
    if bool(case.sql) == bool(case.ask):
        raise UsageError(f"line {line}: a case has either sql or ask", hint=_HINT)
    if case.ask and (case.rows is not None or case.masked is not None):
        raise UsageError(f"line {line}: rows and masked are of statements", hint=_HINT)


def _lines(text: str, count: int) -> tuple[int, ...]:
    """The line of each `[[case]]`; 0 where they cannot be told from text inside of strings."""
    found = [n for n, line in enumerate(text.splitlines(), start=1) if line.strip() == "[[case]]"]
    return tuple(found) if len(found) == count else (0,) * count
