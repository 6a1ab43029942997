"""A long text is judged aside, and its judgement holds for what it was made of alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from dbgate_core.catalog import Catalog
from dbgate_core.decision import Obligations
from dbgate_core.errors import Denied
from dbgate_core.guard import ConnectionGuard
from dbgate_core.guard.leave import Leave
from dbgate_core.masking.foreseen import LONG_CHARS
from dbgate_core.pgwire.guard import Outcome, Refusal, Status
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import Picture
from dbgate_core.sql.effects import Action
from dbgate_core.verdicts import MAX_REMEMBERED_CHARS
from tests.unit.guard.doubles import CUSTOMERS, PLAIN, Desk, TablePolicy


def long(text: str, length: int = MAX_REMEMBERED_CHARS + 1) -> str:
    return f"{text} /*{'x' * length}*/"


def judged(guard: ConnectionGuard, text: str) -> Leave | Refusal:
    """As the gateway has it judged."""
    while (work := guard.aside(text)) is not None:
        work()
    verdict = guard.judge(text)
    assert isinstance(verdict, Leave | Refusal)
    return verdict


def test_a_short_text_is_judged_at_once() -> None:
    assert Desk().guard().aside("select id from plain") is None


@pytest.mark.parametrize(
    "text",
    [
        "select id from plain",
        "select email from customers",
        "insert into plain select length(email) from customers",
        "drop table plain",
        "do 'begin end'",
        "selec",
        "create table made as select * from customers",
    ],
)
def test_it_is_judged_as_it_would_be_at_once(text: str) -> None:
    policy = TablePolicy(obligations=Obligations(mask=True))
    aside, at_once = Desk(policy=policy), Desk(policy=policy)
    one, other = judged(aside.guard(), long(text)), at_once.guard().judge(long(text))
    if isinstance(one, Leave) and isinstance(other, Leave):
        assert (one.decision, one.analysis) == (other.decision, other.analysis)
        assert (one.moves, one.plain) == (other.moves, other.plain)
    else:
        assert one == other
    assert aside.log.entries == at_once.log.entries


def test_it_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, text = Desk().guard(), long("select id from plain")
    work = guard.aside(text)
    assert work is not None
    work()
    monkeypatch.setattr("dbgate_core.verdicts.analyse", None)
    assert guard.aside(text) is None
    assert isinstance(guard.judge(text), Leave)


@pytest.mark.parametrize(
    "text",
    [
        "select lower(email) from customers",
        "copy (select lower(email), id from customers) to stdout",
        "copy customers to stdout; copy plain to stdout",
        "insert into plain select id from customers",
        "insert into own select id from customers",
        "create table made as select id from plain",
        "create temporary table mine as select email from customers",
        "create table made (id int); create index on made (id)",
        "create function f() returns int language sql as 'select 1'",
        "create view seen as select id from plain",
        "alter table plain rename to other",
        "alter table own rename to other",
        "prepare p as select email from customers",
        "declare c cursor for select email from customers",
        "set work_mem = '4MB'",
        "set search_path = pg_temp",
        "do 'begin end'",
    ],
)
@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize(
    "before",
    [
        (),
        ("create temporary table own as select id from plain",),
        ("prepare q as select 1", "create temporary table own as select email from customers"),
        ("alter table plain add column other text",),
    ],
)
def test_nothing_more_of_it_is_parsed_where_others_wait(
    text: str, masks: bool, before: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Desk(policy=TablePolicy(obligations=Obligations(mask=masks))).guard()
    for earlier in before:
        run(guard, earlier)
    text = long(text)
    work = guard.aside(text)
    assert work is not None
    work()
    monkeypatch.setattr("postgast.parse", None)
    run(guard, text)


def run(guard: ConnectionGuard, text: str) -> None:
    """As the wire session has it run, with whatever answers come."""
    leave = guard.judge(text)
    if isinstance(leave, Refusal):
        assert leave.sqlstate == "42501"
        return
    assert isinstance(leave, Leave)
    begun = guard.begin(leave, None, "simple")
    if leave.analysis.returns_rows:
        guard.rows(leave, [Field("lower", 0, 0, 25, -1, -1, 0)])
    if text.startswith("copy"):
        with suppress(Denied):
            guard.copy_out(leave, False, 2)
    guard.redact(leave, {"M": "x"})
    guard.end(begun, Outcome(Status.OK, "SELECT 1", None))


def test_the_names_that_it_moves_are_looked_for_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, text = Desk().guard(), long("prepare p as select id from plain")
    work = guard.aside(text)
    assert work is not None
    work()
    monkeypatch.setattr("dbgate_core.guard.connection.moved", None)
    leave = guard.judge(text)
    assert isinstance(leave, Leave)
    assert leave.moves.statements == frozenset({"p"})


def test_a_shorter_one_is_remembered_for_all_connections() -> None:
    desk, text = Desk(), long("select id from plain", LONG_CHARS)
    guard = desk.guard()
    assert isinstance(judged(guard, text), Leave)
    other = judged(guard, "select 1")
    assert isinstance(other, Leave)
    guard.begin(other, None, "simple")
    assert guard.aside(text) is None


def test_another_catalog_policy_or_path_asks_for_another_judgement() -> None:
    policy = TablePolicy()
    desk, text = Desk(policy=policy), long("select id from plain")
    guard = desk.guard()
    judged(guard, text)
    guard.renew(Picture(Catalog([CUSTOMERS, PLAIN], "2")))
    work = guard.aside(text)
    assert work is not None
    work()
    assert guard.aside(text) is None
    policy.version = "v2"
    assert guard.aside(text) is not None


def test_it_is_judged_by_the_set_that_was_in_force_though_others_come_and_go_meanwhile() -> None:
    """A, B, A: the version is the same again, and the verdict must be of that set."""
    policy = TablePolicy()
    guard, text = Desk(policy=policy).guard(), long("select id from plain")
    work = guard.aside(text)
    assert work is not None
    policy.version, policy.denied = "v2", frozenset(Action)
    work()
    policy.version, policy.denied = "v1", frozenset()
    assert isinstance(guard.judge(text), Leave)
    loose = TablePolicy(denied=frozenset(Action))
    guard = Desk(policy=loose).guard()
    work = guard.aside(text)
    assert work is not None
    loose.version, loose.denied = "v2", frozenset()
    work()
    loose.version, loose.denied = "v1", frozenset(Action)
    assert isinstance(guard.judge(text), Refusal)


def test_a_temporary_table_made_meanwhile_asks_for_another_judgement() -> None:
    """Its name may stand before that of the table which was judged."""
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=True)))
    guard, text = desk.guard(), long("insert into plain select id from customers")
    assert isinstance(judged(guard, text), Leave)
    made = guard.judge("create temporary table plain as select email as id from customers")
    assert isinstance(made, Leave)
    guard.end(guard.begin(made, None, "simple"), Outcome(Status.OK, "SELECT 1", None))
    assert guard.aside(text) is not None
    fresh, short = judged(guard, text), guard.judge("insert into plain select id from customers")
    assert type(fresh) is type(short)


def test_what_cannot_be_judged_is_refused_as_ever() -> None:
    desk = Desk()
    refused = judged(desk.guard(), "select 1 " + "/*" * 12_000 + "*/" * 12_000)
    assert isinstance(refused, Refusal)
    assert refused.sqlstate == "54000"
    assert desk.log.kinds() == ["statement_refused"]


def test_its_text_is_not_kept_once_it_began() -> None:
    guard, text = Desk().guard(), long("select id from plain")
    leave = judged(guard, text)
    assert isinstance(leave, Leave)
    guard.begin(replace(leave), None, "simple")
    assert guard.aside(text) is not None
