"""What people read when something is refused or held."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st
from typer.main import get_command

from dbgate_cli.commands import request_approval
from dbgate_core.decision import Decision
from dbgate_core.policy.words import MAX_INLINE_CHARS, MAX_NAME_CHARS
from dbgate_core.sql.effects import Action, Effect
from tests.unit.policy.people import (
    ALICE,
    BOB,
    DAVE,
    DEVELOPMENT,
    EVERYTHING,
    PRODUCTION,
    analysis,
    default,
    effect,
    rules,
)

DROP = Effect(Action.DROP, "customers", "table")


def held(text: str, role: str = "admin") -> Decision:
    return default().statement(ALICE, PRODUCTION, role, analysis(DROP, text=text))


def command(hint: str) -> list[str]:
    """The words of the command in a hint, as a shell reads them."""
    return shlex.split(hint.partition(", then run it in: ")[0].partition(" (FILE")[0])


def test_a_held_drop_says_what_and_how_to_go_on() -> None:
    decision = held("drop table customers;", "readonly")
    assert decision.message == "dropping the table customers is held on production"
    assert decision.hint == (
        "dbgate request-approval prod-db --role admin --statement 'drop table customers'"
        " --reason '...', then run it in: dbgate connect prod-db --role admin"
    )


def test_in_the_access_role_that_runs_it_the_hint_is_the_command_alone() -> None:
    assert held("drop table customers").hint == (
        "dbgate request-approval prod-db --role admin --statement 'drop table customers'"
        " --reason '...'"
    )


@given(st.text(min_size=1, max_size=300).filter(str.strip))
@example("""delete from "T" where a = 'it''s' or b = '$(rm -rf ~)' or c = '`id` \\ !x'""")
def test_the_command_asks_for_exactly_the_statement_or_for_a_file(text: str) -> None:
    decision = held(text)
    assert decision.hint.isprintable()
    words = command(decision.hint)
    canonical = text.strip(" ;\n")
    if len(canonical) <= MAX_INLINE_CHARS and canonical.isprintable():
        assert words[words.index("--statement") + 1] == canonical
    else:
        assert words[words.index("--statement-file") + 1] == "FILE"
        assert "--statement" not in words


@pytest.mark.parametrize("text", ["drop table customers", "drop\ntable customers", "x" * 999])
def test_the_command_line_knows_every_option_that_hints_name(text: str) -> None:
    app = typer.Typer()
    request_approval.register(app)
    known = {option for each in get_command(app).params for option in each.opts}
    hints = [held(text).hint, default().connect(ALICE, PRODUCTION, "readwrite").hint]
    for hint in hints:
        assert {word for word in command(hint) if word.startswith("--")} <= known


def test_a_session_that_takes_an_approval_says_how_to_ask_for_it() -> None:
    decision = default().connect(ALICE, PRODUCTION, "readwrite")
    assert decision.message == "the access role readwrite of prod-db takes an approval"
    assert decision.hint == "dbgate request-approval prod-db --role readwrite --reason '...'"


def test_a_write_in_readonly_names_the_role_that_writes() -> None:
    insert = analysis(Effect(Action.INSERT, "orders", "table"))
    decision = default().statement(ALICE, DEVELOPMENT, "readonly", insert)
    assert decision.message == "inserting into the table orders is not for the access role readonly"
    assert "--role readwrite" in decision.hint


def test_what_nothing_permits_says_so() -> None:
    assert default().connect(DAVE, PRODUCTION, "readonly").message == (
        "no rule lets dave open prod-db as readonly"
    )
    assert default().may(ALICE, "audit_read", None).message == (
        "no rule lets alice do audit_read on dbgate"
    )
    vacuum = analysis(effect("utility table orders detail=vacuum"))
    assert default().statement(ALICE, PRODUCTION, "readonly", vacuum).message == (
        "no rule permits running vacuum on orders in the access role readonly of prod-db"
    )


def test_names_in_a_message_stay_names_and_one_line() -> None:
    some = rules(
        EVERYTHING,
        '@id("no") @message("{{literal}} {doing}, {object} by {principal} on {database}")'
        ' forbid(principal, action == Action::"drop", resource);',
    )
    for name in ("{role}", "{", "a\nb\x1b[31m", "x" * 1000, "\u202e", "%s"):
        drop = analysis(Effect(Action.DROP, name, "table"))
        message = some.statement(BOB, DEVELOPMENT, "admin", drop).message
        assert message.startswith("{literal} dropping the table ")
        assert message.endswith(" by bob on dev-db")
        assert message.isprintable()
        assert len(message) < 2 * MAX_NAME_CHARS + 80
        assert "admin" not in message


def test_a_database_name_is_quoted_in_commands() -> None:
    odd = replace(PRODUCTION, name="my db; rm -rf ~")
    assert command(default().connect(ALICE, odd, "readwrite").hint)[2] == odd.name


def test_the_first_rule_speaks_and_all_are_named() -> None:
    some = rules(
        EVERYTHING,
        '@id("late") @message("second") forbid(principal, action == Action::"drop", resource);',
        '@id("later") @message("third") forbid(principal, action == Action::"select", resource);',
    )
    select = Effect(Action.SELECT, "t", "table")
    decision = some.statement(BOB, DEVELOPMENT, "admin", analysis(select, DROP))
    assert (decision.message, decision.policies) == ("second", ("late", "later"))


def test_a_hint_of_the_rule_stands_before_the_command() -> None:
    some = rules(
        EVERYTHING,
        '@id("wait") @approval("dba:1") @hint("see the runbook") '
        'forbid(principal, action == Action::"drop", resource);',
    )
    hint = some.statement(BOB, DEVELOPMENT, "admin", analysis(DROP)).hint
    assert hint.startswith("see the runbook; dbgate request-approval dev-db --role admin ")
