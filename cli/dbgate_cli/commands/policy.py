"""`dbgate policy validate|test|explain|diff|suggest`: the rules, looked at before they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dbgate_cli import console, policy_explaining, policy_files, policy_trying, render
from dbgate_cli.commands import _shared as shared
from dbgate_cli.commands import policy_diff, policy_suggest
from dbgate_core import contract
from dbgate_core.decision import Verdict
from dbgate_core.errors import Denied, UsageError

Folders = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR...", help="Policy folders, taken together; or shipped ones by name."
    ),
]


def validate(folders: Folders, json: shared.Json = False) -> None:
    """Check rules: every mistake at once with its file and line, and rules that can never fire."""
    try:
        policies = policy_files.load(folders)
    except UsageError as exc:
        mistakes = policy_files.mistakes_of(exc)
        if not mistakes:
            raise
        _tell(json, {"mistakes": list(mistakes)}, mistakes)
        raise policy_files.counted(folders, mistakes) from exc
    places = {rule.id: rule.place for rule in policies.rules}
    dead = [f"{places[each.rule]}: {each.rule}: {each.why}" for each in policies.dead]
    count = len(policies.rules)
    found = {"rules": count, "version": policies.version, "dead": dead}
    _tell(json, found, dead or [f"{count} rules, version {policies.version}"])
    if dead:
        raise UsageError(
            f"{len(dead)} of {count} rules can never decide anything",
            hint="a misspelt word, or a forbid that says more than was meant",
        )


def try_(
    folders: Folders,
    cases: Annotated[
        list[Path] | None,
        typer.Option("--cases", help="A case file; without it those in DIR/tests."),
    ] = None,
    json: shared.Json = False,
) -> None:
    """Run cases against rules: who asks for what, and what must come of it."""
    policies = policy_files.usable(folders)
    failed = count = 0
    for file in cases or policy_files.case_files(folders):
        for result in policy_trying.results(policies, file):
            count += 1
            failed += bool(result["differences"])
            policy_trying.show(result, json)
    if failed:
        raise Denied(f"{failed} of {count} cases came out otherwise", code="policy.cases")
    if not json:
        render.line(f"{count} cases, all as expected")


def explain(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="The statement.")],
    database: Annotated[str, typer.Option("--database", help="On which database.")],
    who: Annotated[
        str, typer.Option("--as", help="Who runs it; without it you, by --broker.")
    ] = "",
    broker: Annotated[
        bool,
        typer.Option("--broker", help="By the broker's own policies and tables, for yourself."),
    ] = False,
    role: Annotated[
        str, typer.Option("--role", help="The session's access role; without it readonly.")
    ] = "",
    group: Annotated[list[str] | None, typer.Option("--group", help="A group of theirs.")] = None,
    environment: Annotated[
        str, typer.Option("--environment", help="The database's environment.")
    ] = "production",
    tables: Annotated[
        Path | None, typer.Option("--tables", help="File of CREATE statements: what there is.")
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option("--cases", help="A case file that has the person and the database."),
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", help="Policy folder, or a shipped one by name.")
    ] = None,
    json: shared.Json = False,
) -> int:
    """Say what rules make of a statement, why, and what would have to be otherwise."""
    if broker == bool(who):
        raise UsageError("give either --as, or --broker for yourself")
    if broker:
        if group or tables or cases or policy:
            raise UsageError("--broker has its own people, tables and policies")
        return _of_broker(database, role, statement, json)
    role = role or "readonly"
    policies = policy_files.usable(policy or [Path("default")])
    from dbgate_core.policy.explaining import explain as explained
    from dbgate_core.policy.telling import told

    if cases is not None:
        subject, catalog = policy_explaining.of_case_file(cases, who, database, role)
    else:
        subject, catalog = policy_explaining.of_options(
            who, group or [], database, environment, role, tables
        )
    return _explained(told(policies, explained(policies, subject, statement, catalog)), json)


def _of_broker(database: str, role: str, statement: str, json: bool) -> int:
    """By the policies and the catalog of the broker, for whoever is signed in."""
    ask = contract.Explain(database=database, access_role=role, statement=statement)
    with shared.broker() as broker:
        found = broker.explain(ask)
    if not found.catalog:
        console.note("the broker knows no tables of it: nobody was connected, or you may not be")
    return _explained({"access_role": found.access_role, **found.explanation}, json)


def _explained(found: Mapping[str, Any], json: bool) -> int:
    if json:
        render.emit(found)
    else:
        policy_explaining.show(found)
    return {Verdict.ALLOW: 0, Verdict.DENY: 4, Verdict.HOLD: 5}[Verdict(found["verdict"])]


def _tell(json: bool, found: object, lines: Sequence[str]) -> None:
    if json:
        render.emit(found)
        return
    for line in lines:
        render.line(line)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Check, try, explain and compare policies.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("validate", epilog="Example: dbgate policy validate policies/default")(validate)
    group.command("test", epilog="Example: dbgate policy test default packs/agents")(try_)
    group.command(
        "explain",
        epilog="Example: dbgate policy explain --as alice --group developers --database prod-db 'drop table t'",
    )(explain)
    group.command("diff", epilog=policy_diff.EXAMPLE)(policy_diff.diff)
    group.command("suggest", epilog=policy_suggest.EXAMPLE)(policy_suggest.suggest)
    app.add_typer(group, name="policy")
