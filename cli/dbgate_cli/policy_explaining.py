"""Explanations of `dbgate policy explain`, shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dbgate_cli import policy_files, render
from dbgate_core.database import DatabaseFacts
from dbgate_core.errors import UsageError
from dbgate_core.principal import Principal, PrincipalKind

if TYPE_CHECKING:
    from dbgate_core.catalog import Catalog
    from dbgate_core.verdicts import Subject

ISSUER: Final = "https://issuer.example"


def of_case_file(file: Path, who: str, database: str, role: str) -> tuple[Subject, Catalog]:
    """Somebody and a database of a case file. Raises UsageError when they are not in it."""
    from dbgate_core.policy.casefile import read_cases
    from dbgate_core.verdicts import Subject

    cases = read_cases(policy_files.text_of(file))
    if who not in cases.people or database not in cases.settings:
        missing = f"people.{who}" if who not in cases.people else f"databases.{database}"
        raise UsageError(f"there is no [{missing}] in {file}")
    setting = cases.settings[database]
    return Subject(cases.people[who], setting.facts, role), setting.catalog


def of_options(
    who: str, groups: list[str], database: str, environment: str, role: str, tables: Path | None
) -> tuple[Subject, Catalog]:
    """A person and a database by what was typed."""
    from dbgate_core.policy.sketch import sketch
    from dbgate_core.verdicts import Subject

    principal = Principal(PrincipalKind.USER, who, ISSUER, who, frozenset(groups))
    catalog = sketch(policy_files.text_of(tables) if tables else "")
    return Subject(principal, DatabaseFacts(database, environment), role), catalog


def show(told: Mapping[str, Any]) -> None:
    """The explanation as people read it, of what `dbgate_core.policy.telling` makes of it."""
    rules = [f"{each['rule']} ({each['place']})" for each in told["rules"]]
    session = told["session"]
    by = ", ".join(rules) or f"no rule ({told['code'] or 'what nothing permits is refused'})"
    owed = ["values masked"] if told["masked"] else []
    owed += [f"at most {told['rows']} rows"] if told["rows"] is not None else []
    render.facts(
        [
            ("verdict", told["verdict"]),
            ("by", by),
            ("says", told["message"]),
            ("hint", told["hint"]),
            ("approval", told["approval"]),
            ("owes", ", ".join(owed)),
            ("observed", ", ".join(told["observed"])),
            ("session", f"{session['verdict']} ({', '.join(session['rules']) or 'no rule'})"),
        ]
    )
    if told["effects"]:
        render.line("")
        headers = ("EFFECT", "ON", "DETAIL", "VERDICT", "RULES")
        render.table(headers, [_row(each) for each in told["effects"]])
    for way in told["would"]:
        command = f": {way['command']}" if way["command"] else ""
        render.line(f"would be {way['verdict']} {way['if']}{command}")


def _row(effect: dict[str, Any]) -> tuple[object, ...]:
    named = ("predicate", "danger", "detail")
    detail = [f"{name} {effect[name]}" for name in named if name in effect]
    kind, on = effect.get("kind", ""), effect.get("object", "")
    rules = ", ".join(effect["rules"])
    return effect["action"], f"{kind} {on}".strip(), ", ".join(detail), effect["verdict"], rules
