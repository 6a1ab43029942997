"""Recorded statements under other rules: what changes, and the least rules that change nothing."""

from __future__ import annotations

import pytest

from dbgate_core.decision import Verdict
from dbgate_core.policy.replay import Change, replay
from dbgate_core.policy.suggesting import quoted, suggestion, usage
from dbgate_core.principal import Principal
from dbgate_core.sql.analyse import analyse
from dbgate_core.verdicts import Subject
from tests.unit.policy.people import (
    ALICE,
    COPILOT,
    DATABASES,
    DEVELOPMENT,
    EVERYTHING,
    PEOPLE,
    PRODUCTION,
    default,
    permissive,
    rules,
)
from tests.unit.policy.statements import TABLES, Log

TEXTS = [
    "",
    "select * from customers",
    "select email, pg_sleep(1) from mails where id = 1",
    "insert into orders select id from customers",
    "update orders set total = 1",
    "delete from orders where id = 1; drop table orders",
    "alter table orders drop column total",
    "truncate orders",
    "begin; savepoint a",
    "set work_mem = '1MB'",
    "copy orders to stdout",
    "copy orders from program 'x'",
    "create temp table t (a int)",
    "with gone as (delete from orders returning *) select * from gone, hr.salaries",
    "grant select on orders to public",
    "do $$ begin execute 'x'; end $$",
    "listen x",
    "create function f() returns int language sql as 'select 1'",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["alice", "ci", "copilot", "alice+agent"])
def test_a_record_is_decided_as_its_statement_was(text: str, name: str) -> None:
    for database in DATABASES.values():
        for role in ("readonly", "admin"):
            read = analyse(text, TABLES, ("public",))
            decision = default().statement(PEOPLE[name], database, role, read)
            log = Log(default())
            short = {found: key for key, found in DATABASES.items()}[database]
            log.add(text, PEOPLE[name], short, role)
            (found,) = log.statements()
            again = default().statement(
                found.subject.principal, database, found.subject.access_role, found.analysis
            )
            assert (again.verdict, again.policies) == (decision.verdict, decision.policies)
            assert again.obligations == decision.obligations
            assert found.subject == Subject(PEOPLE[name], database, role)


def test_what_changes_is_counted_and_shown_with_an_example() -> None:
    log = Log(permissive())
    for id_ in range(3):
        log.add(f"delete from orders where id = {id_}")
    log.add("select 1")
    new = rules(
        EVERYTHING,
        '@id("no-delete") @message("no") forbid(principal, action == Action::"delete", resource);',
    )
    found = replay(permissive(), new, log.statements())
    assert found.statements == 4
    assert found.counts == {Change.DENIED: 3}
    (case,) = found.of(Change.DENIED)
    assert case.count == 3
    assert case.example.analysis.text == "delete from orders where id = 2"
    assert (case.first, case.example.at) == (
        "2026-01-31T12:00:00.000000Z",
        "2026-01-31T12:00:04.000000Z",
    )
    assert case.after.policies == ("no-delete",)
    assert found.refused == 3


def test_each_change_of_a_verdict_has_its_name() -> None:
    held = rules(
        EVERYTHING,
        '@id("h") @approval("dba:1") forbid(principal, action == Action::"update", resource);',
    )
    log = Log(held)
    log.add("update orders set total = 1 where id = 1")
    assert replay(permissive(), held, log.statements()).counts == {Change.HELD: 1}
    assert replay(held, permissive(), log.statements()).counts == {Change.ALLOWED: 1}
    assert replay(held, held, log.statements()).counts == {}


MASKING = rules(
    '@id("a") permit(principal, action, resource);'
    '@id("b") forbid(principal, action == Action::"unmask", resource);'
)
CLEAR = rules(EVERYTHING)


def test_masks_come_and_go_where_something_was_read() -> None:
    log = Log(CLEAR)
    log.add("select email from customers")
    log.add("select 1")
    assert replay(CLEAR, MASKING, log.statements()).counts == {Change.MASKED: 1}
    assert replay(MASKING, CLEAR, log.statements()).counts == {Change.CLEAR: 1}


def test_what_ran_masked_says_whether_there_was_something_to_mask() -> None:
    log = Log(MASKING)
    log.add("select email from customers", masked=True)
    log.add("select total from orders")
    assert replay(MASKING, CLEAR, log.statements()).counts == {Change.CLEAR: 1}
    assert replay(CLEAR, MASKING, log.statements()).counts == {Change.MASKED: 1}


def test_a_row_limit_cuts_what_gave_more() -> None:
    limited = rules('@id("few") @rows("10") permit(principal, action, resource);')
    log = Log(CLEAR)
    log.add("select total from orders", rows=10)
    assert replay(CLEAR, limited, log.statements()).counts == {}
    log.add("select total from orders", rows=11)
    log.add("copy orders to stdout", rows=1)
    log.add("update orders set total = 1", rows=100)
    assert replay(CLEAR, limited, log.statements()).counts == {Change.LIMITED: 2}
    assert replay(limited, CLEAR, log.statements()).counts == {}


def test_entries_of_others_and_what_did_not_parse_are_left_out() -> None:
    log = Log(CLEAR)
    log.add("select 1")
    broken = {"kind": "statement_refused", "effects": [], "text": "selct", "verdict": "deny"}
    log.entries += [{"kind": "statement", "index": 7}, broken, {"kind": "session_opened"}, {}]
    assert len(list(log.statements())) == 1


def test_a_suggestion_permits_what_was_used_and_nothing_else() -> None:
    log = Log(permissive())
    for text in TEXTS:
        log.add(text, COPILOT)
        log.add(text, ALICE, "prod", "readonly")
    used = usage(log.statements())
    least = rules(suggestion(used))
    found = replay(permissive(), least, used.allowed)
    assert len(used.allowed) == found.statements > len(TEXTS)
    assert found.refused == 0
    for text in (
        "select * from nothing",
        "insert into customers values (1)",
        "update orders set total = 1 where id = 1",
        "drop table customers",
        "set work_mem = '1MB'; set statement_timeout = 0",
        "listen y",
    ):
        read = analyse(text, TABLES, ("public",))
        assert least.statement(ALICE, DEVELOPMENT, "readwrite", read).verdict is Verdict.DENY, text
    read = analyse("select * from orders", TABLES, ("public",))
    for whom, where, role in (
        (PEOPLE["bob"], DEVELOPMENT, "readwrite"),
        (ALICE, DEVELOPMENT, "admin"),
        (COPILOT, PRODUCTION, "readonly"),
    ):
        assert least.statement(whom, where, role, read).verdict is Verdict.DENY
        assert least.connect(whom, where, role).verdict is Verdict.DENY
    assert least.connect(ALICE, PRODUCTION, "readonly").allowed


def test_a_suggestion_leaves_out_what_somebody_gave_leave_for() -> None:
    log = Log(default())
    log.add("drop table orders", ALICE, "prod", approved=True)
    log.add("drop table orders", ALICE, "prod")
    used = usage(log.statements())
    assert (used.approved, used.allowed, suggestion(used)) == (1, [], "")


def test_a_suggestion_says_how_often_and_when() -> None:
    log = Log(permissive())
    log.add("select total from orders")
    log.add("select id from orders")
    text = suggestion(usage(log.statements()))
    assert "// 2 times, 2026-01-31T12:00 to 2026-01-31T12:00" in text
    assert '["public.orders"].contains(context.object)' in text


def test_any_name_is_written_so_that_cedar_reads_it_back() -> None:
    for name in ('a"b', "a\\", "\n\0\x7f\u202e", "naïve 表", "', when { true };"):
        text = f'@id("a") permit(principal == User::{quoted(name)}, action, resource);'
        assert (
            rules(text)
            .connect(Principal(ALICE.kind, name, ALICE.issuer, "s"), DEVELOPMENT, "admin")
            .allowed
        )
