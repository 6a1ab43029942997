"""Temporary tables: shown while they certainly hold nothing protected, masked for good after."""

from __future__ import annotations

import pytest

from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.decision import Obligations
from dbgate_core.errors import Denied, LimitExceeded
from dbgate_core.guard import ConnectionGuard
from dbgate_core.guard.leave import Leave
from dbgate_core.masking.temporary import CleanTables
from dbgate_core.meaning import _CODE, is_plain
from dbgate_core.pgwire.guard import Outcome, Refusal, Status
from dbgate_core.pgwire.rows import Field
from dbgate_core.sql.analyse import analyse
from tests.unit.guard.doubles import CUSTOMERS, PLAIN, TEXT, Desk, TablePolicy
from tests.unit.sql.notation import FOLDER, cases

TEMP_OID = 30_000
MADE = "create temp table t (a int, b text)"
READ = "select b from t"
B = Field("b", TEMP_OID, 2, TEXT, -1, -1, 0)


def run(
    guard: ConnectionGuard,
    text: str,
    *,
    status: Status = Status.OK,
    tag: str = "",
    protocol: str = "simple",
) -> None:
    permit = guard.judge(text)
    assert isinstance(permit, Leave), permit
    guard.end(guard.begin(permit, None, protocol), Outcome(status, tag))


def shown(guard: ConnectionGuard, text: str = READ, field: Field = B) -> bool:
    permit = guard.judge(text)
    assert isinstance(permit, Leave), permit
    return guard.rows(permit, [field]) is None


def test_what_the_client_put_in_is_shown() -> None:
    guard = Desk().guard()
    run(guard, MADE)
    run(guard, "insert into t values (1, 'x')")
    run(guard, "insert into t select id, 'x' from plain")
    run(guard, "insert into t select n, 'x' from generate_series(1, 3) as n")
    run(guard, "create index on t using hash (a)")
    assert shown(guard)
    assert shown(guard, "select upper(b) from t", Field("upper", 0, 0, TEXT, -1, -1, 0))
    permit = guard.judge("copy t to stdout")
    assert isinstance(permit, Leave)
    assert guard.copy_out(permit, False, 2) is None


FILLING = [
    "insert into t select id, email from customers",
    "insert into t (b) select min(email) from customers",
    "with x as (select email from customers) insert into t select 1, email from x",
    "with x as (insert into t select id, email from customers returning 1) select * from x",
    "update t set b = (select email from customers limit 1)",
    "update t set b = email from customers",
    "merge into t using customers c on t.a = c.id when matched then update set b = c.email",
    "prepare p as insert into t select id, email from customers",
    "explain analyze insert into t select id, email from customers",
    "insert into t values (1, current_setting('my.secret'))",
    "insert into t select 1, query_to_xml('select email from customers', true, true, '')::text",
    "insert into t select a, b from unknown_table",
    "select my_function()",
    "call my_procedure()",
    "create function f() returns int language sql as 'select 1'",
    "create trigger x before insert on t execute function f()",
]


@pytest.mark.parametrize("text", FILLING)
def test_after_anything_that_may_have_filled_it_it_is_masked_for_good(text: str) -> None:
    guard = Desk().guard()
    run(guard, MADE)
    run(guard, text)
    assert not shown(guard)
    run(guard, "create temp table u (b text)")
    assert not shown(guard, "select b from u")


@pytest.mark.parametrize(
    "text",
    [
        "create temp table t as select email as b from customers",
        "select email as b into temp t from customers",
        "create temp table t as select * from unknown_table",
    ],
)
def test_one_that_is_made_of_protected_values_is_masked(text: str) -> None:
    guard = Desk().guard()
    run(guard, text)
    assert not shown(guard)


def test_beside_other_tables_it_is_masked_as_its_column_may_be_theirs() -> None:
    guard = Desk().guard()
    run(guard, MADE)
    assert not shown(guard, "select t.b from t join plain on t.a = plain.id")


def test_one_that_is_made_of_other_values_is_shown() -> None:
    guard = Desk().guard()
    run(guard, "create temp table t as select 1 as a, 'x' as b")
    assert shown(guard)


GONE = [
    ("drop table t", "DROP TABLE"),
    ("alter table t rename to u", "ALTER TABLE"),
    ("discard temp", "DISCARD TEMP"),
    ("discard all", "DISCARD ALL"),
    ("rollback", "ROLLBACK"),
    ("commit", "ROLLBACK"),
    ("rollback to a", "ROLLBACK"),
    ("create table if not exists t (b text)", "CREATE TABLE"),
]


@pytest.mark.parametrize(("text", "tag"), GONE)
def test_a_name_that_may_mean_another_table_is_masked(text: str, tag: str) -> None:
    guard = Desk(policy=TablePolicy(held=frozenset())).guard()
    run(guard, MADE)
    run(guard, text, tag=tag)
    assert not shown(guard)


def test_an_error_in_a_pipeline_may_have_undone_it() -> None:
    guard = Desk().guard()
    run(guard, MADE, protocol="extended")
    run(guard, "select 1/0", status=Status.ERROR, protocol="simple")
    assert shown(guard)
    run(guard, "select 1/0", status=Status.ERROR, protocol="extended")
    assert not shown(guard)


@pytest.mark.parametrize(
    "text", ["create temp table t(b text) on/**/commit drop", "create temp table u.t (b text)"]
)
def test_one_that_does_not_stay_is_never_shown(text: str) -> None:
    guard = Desk().guard()
    run(guard, text)
    assert not shown(guard)


def test_one_whose_making_failed_is_not_shown() -> None:
    guard = Desk().guard()
    run(guard, MADE, status=Status.ERROR)
    assert not shown(guard)


def test_a_namesake_in_any_schema_keeps_it_masked() -> None:
    twin = CatalogRelation(40_000, "other", "t", RelationKind.TABLE, (Column(1, "b", TEXT),))
    guard = Desk(catalog=Catalog([CUSTOMERS, PLAIN, twin], "2")).guard()
    run(guard, MADE)
    assert not shown(guard)


def test_a_temporary_customers_does_not_uncover_the_real_one() -> None:
    guard = Desk().guard()
    run(guard, "create temp table customers (email text)")
    run(guard, "set search_path = public, pg_temp")
    assert not shown(guard, "select upper(email) from customers", Field("u", 0, 0, TEXT, -1, -1, 0))


def test_values_are_not_moved_into_a_plain_column() -> None:
    guard = Desk().guard()
    for text in (
        "create table copy as select email from customers",
        "update plain set id = length(email) from customers",
        "select set_config('my.x', email, false) from customers",
        "select pg_notify('c', email) from customers",
        "select pg_try_advisory_lock(length(email)) from customers",
        "select pg_catalog.setseed(length(email)) from customers",
        "select setval('s', length(email)) from customers",
        "select pg_advisory_lock(x) from (select length(email) as x from customers) s",
        "select pg_advisory_lock(id) from (select length(email) as id from customers) s",
        "with customers as (select length(email) as id from customers) "
        "select pg_advisory_lock(id) from customers",
    ):
        refused = guard.judge(text)
        assert isinstance(refused, Refusal), text
        assert "masking would be lost" in refused.message


def test_a_lock_by_key_moves_nothing() -> None:
    guard = Desk().guard()
    for text in (
        "select pg_try_advisory_xact_lock(id) from customers",
        "select email from customers where pg_try_advisory_lock(customers.id::int) limit 1",
        "select pg_advisory_lock(7, 8)",
        "select pg_advisory_lock(hashtext('x'))",
    ):
        assert isinstance(guard.judge(text), Leave), text


def test_sequences_are_shown() -> None:
    sequence = CatalogRelation(50_000, "public", "s", RelationKind.SEQUENCE, ())
    guard = Desk(catalog=Catalog([CUSTOMERS, sequence], "3")).guard()
    field = Field("last_value", 50_000, 1, 20, 8, -1, 0)
    assert shown(guard, "select last_value from s", field)
    assert shown(guard, "select last_value + 1 from s", Field("?column?", 0, 0, 20, 8, -1, 0))


SHADOWS = [
    ["create temp table plain as select email as id from customers"],
    ["select email as id into temp plain from customers"],
    ["explain analyze create temp table plain as select email as id from customers"],
    ["create temp view plain as select email as id from customers"],
    ["create temp table u as select email as id from customers", "alter table u rename to plain"],
    [
        "create table pg_temp.plain (id text)",
        "insert into pg_temp.plain select email from customers",
    ],
    ["select my_function()", "alter table made_by_it rename to plain"],
    ["set search_path = pg_temp, public", "create table plain (id text)"],
]


@pytest.mark.parametrize("texts", SHADOWS)
def test_a_temporary_namesake_of_a_plain_table_is_masked(texts: list[str]) -> None:
    guard = Desk().guard()
    computed = Field("upper", 0, 0, TEXT, -1, -1, 0)
    assert shown(guard, "select upper(id) from plain", computed)
    for text in texts:
        run(guard, text)
    assert not shown(guard, "select upper(id) from plain", computed)
    permit = guard.judge("copy plain to stdout")
    assert isinstance(permit, Leave)
    with pytest.raises(Denied):
        guard.copy_out(permit, False, 1)
    into = guard.judge("update plain set id = p.id from plain p")
    assert isinstance(into, Refusal)
    assert "masking would be lost" in into.message


def test_an_error_on_a_temporary_namesake_is_redacted() -> None:
    guard = Desk().guard()
    fields = {"S": "ERROR", "C": "22P02", "M": 'invalid input syntax for type integer: "a@b.c"'}
    permit = guard.judge("select id::int from plain")
    assert isinstance(permit, Leave)
    assert guard.redact(permit, fields) == fields
    run(guard, "create temp table plain as select email as id from customers")
    assert "a@b.c" not in guard.redact(permit, fields)["M"]


def test_what_is_called_plain_changes_nothing() -> None:
    """The guard passes over these in following what a connection did; so over none that counts."""
    texts = [case.text for file in (FOLDER / "cases").glob("*.txt") for case in cases(file)]
    plain = [analysis for analysis in map(analyse, texts) if is_plain(analysis)]
    assert len(plain) > 50
    for analysis in plain:
        tables = CleanTables()
        tables.begin(analyse(MADE), False, path_known=True)
        tables.end(analyse(MADE), ok=True, tag="CREATE TABLE", alone=True, uncommitted=False)
        assert not tables.concerned(analysis), analysis.text
        for known in (True, False):
            tables.begin(analysis, False, path_known=known)
        tables.end(analysis, ok=True, tag="SELECT 1", alone=False, uncommitted=False)
        assert tables.names == tables.shadows == frozenset({"t"}), analysis.text
        assert all(effect.action not in _CODE for effect in analysis.effects), analysis.text


def test_the_names_of_temporary_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbgate_core.masking.temporary.MAX_TABLES", 2)
    desk = Desk()
    guard = desk.guard()
    for name in ("a", "b"):
        run(guard, f"create temp table {name} (x int)")
    before = len(desk.log.entries)
    with pytest.raises(LimitExceeded):
        run(guard, "create temp table c (x int)")
    assert len(desk.log.entries) == before
    run(guard, "select 1")


ORDINARY = "create table n (a int, b text default 'x', primary key (a))"
OF_N = "select b from n"


def in_transaction(*texts: str, desk: Desk | None = None) -> ConnectionGuard:
    guard = (desk or Desk()).guard()
    run(guard, "begin")
    guard.transaction("T")
    for text in texts:
        run(guard, text, tag=text.split()[0].upper())
        guard.transaction("T")
    return guard


def test_a_table_of_an_open_transaction_is_shown_until_it_is_committed() -> None:
    guard = in_transaction(ORDINARY, "create table other (id int)", "insert into n values (1, 'x')")
    assert shown(guard, OF_N)
    assert shown(guard, "select max(b) from n", Field("max", 0, 0, TEXT, -1, -1, 0))
    guard.transaction("I")
    assert not shown(guard, OF_N)


def test_what_comes_from_a_table_with_protected_columns_may_be_shown_there() -> None:
    guard = in_transaction(ORDINARY, "insert into n (a) select id from customers")
    assert shown(guard, OF_N)


def test_under_other_policies_it_may_hold_what_those_before_let_in() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=False)))
    guard = in_transaction(ORDINARY, "insert into n select id, email from customers", desk=desk)
    desk.policy.version, desk.policy.obligations = "v2", Obligations()
    assert not shown(guard, OF_N)


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_one_that_is_committed_at_once_is_for_the_catalog_to_tell(protocol: str) -> None:
    guard = Desk().guard()
    permit = guard.judge(ORDINARY)
    assert isinstance(permit, Leave)
    begun = guard.begin(permit, None, protocol)
    if protocol == "simple":  # the server's ReadyForQuery ends it
        guard.transaction("I")
    guard.end(begun, Outcome(Status.OK, "CREATE TABLE"))
    guard.transaction("I")
    assert not shown(guard, OF_N)


@pytest.mark.parametrize(
    "texts",
    [
        [ORDINARY.replace("table n", "table if not exists n")],
        ["create table n (a int, b text references plain (id) on update cascade)"],
        ["create table n (a int, b text, foreign key (b) references plain (id) on update cascade)"],
        ["create table n (b text) inherits (plain)"],
        ["create table n partition of plain for values in (1)"],
        ["create table n (a int, b text) partition by list (a)"],
        [ORDINARY, "alter table n add column c int"],
        [ORDINARY, "create view v as select 1 as b"],
        [ORDINARY, "rollback to savepoint s"],
        [ORDINARY, "commit and chain"],
        [ORDINARY, "set search_path = other"],
        [ORDINARY, "select my_function()"],
        ["select 1; " + ORDINARY],
    ],
)
def test_but_not_one_that_others_may_reach_or_that_may_be_another(texts: list[str]) -> None:
    assert not shown(in_transaction(*texts), OF_N)


def test_nor_one_that_hides_behind_a_name_of_the_system() -> None:
    guard = in_transaction("create table pg_authid (rolpassword text)")
    text = "select upper(rolpassword) from pg_authid"
    assert not shown(guard, text, Field("upper", 0, 0, TEXT, -1, -1, 0))


@pytest.mark.parametrize(
    "text",
    [
        "insert into n select id, email from customers",
        "insert into n (b) select upper(email) from customers",
        "insert into n values (1, (select email from customers limit 1))",
        "update n set b = email from customers",
        "insert into n values (1, 'x') on conflict (a) do update set b = (select min(email) from customers)",
        "merge into n using customers on a = id when not matched then insert values (1, email)",
        "with w as (insert into n select id, email from customers returning 1) select * from w",
    ],
)
@pytest.mark.parametrize("made", [ORDINARY, ORDINARY.replace("table n", "table if not exists n")])
def test_nothing_protected_comes_to_a_table_that_is_not_committed(made: str, text: str) -> None:
    refused = in_transaction(made).judge(text)
    assert isinstance(refused, Refusal)
    assert "a table that is new" in refused.message


def test_but_to_a_column_of_it_that_will_be_known_by_its_name() -> None:
    guard = in_transaction("create table n (id int, email text)")
    assert isinstance(
        guard.judge("insert into n (id, email) select id, email from customers"), Leave
    )


@pytest.mark.parametrize(
    "text",
    [
        "update made_elsewhere set balance = balance + 1 where id = 2",
        "update made_elsewhere m set a = m.b || 'x'",
        "insert into made_elsewhere values (1) on conflict (id) do update set n = excluded.n",
        "insert into made_elsewhere (id) select id from customers",
        "update made_elsewhere set email = mail",
        "update made_elsewhere set n = p.id from plain p where p.id = n",
        "merge into made_elsewhere m using plain p on m.id = p.id when matched then update set n = m.n + 1",
    ],
)
def test_a_table_that_the_catalog_lacks_may_be_changed_by_itself(text: str) -> None:
    assert isinstance(Desk().guard().judge(text), Leave)


@pytest.mark.parametrize(
    "text",
    [
        "update made_elsewhere set n = email",
        "update made_elsewhere m set n = m.email",
        "update made_elsewhere set n = made_elsewhere::text",
        "update made_elsewhere set n = (select email from customers limit 1)",
        "update made_elsewhere set n = x from other_unknown",
        "update made_elsewhere set n = (select x from other_unknown)",
        "insert into made_elsewhere select * from other_unknown",
        "insert into made_elsewhere select to_json(m) from made_elsewhere m",
    ],
)
def test_but_not_by_what_is_protected_or_unknown(text: str) -> None:
    assert isinstance(Desk().guard().judge(text), Refusal)


def test_nor_by_itself_after_it_may_have_been_renamed() -> None:
    guard = in_transaction("alter table plain rename to n")
    assert isinstance(guard.judge("update n set a = b"), Refusal)


def test_nor_to_a_table_that_was_renamed() -> None:
    guard = in_transaction("alter table plain rename to n")
    assert isinstance(guard.judge("insert into n (name) select email from customers"), Refusal)


@pytest.mark.parametrize("temporary", ["temp table t", "table pg_temp.t"])
def test_a_temporary_table_of_the_same_text_may_be_filled(temporary: str) -> None:
    text = f"create {temporary} (b text); insert into t select email from customers"
    assert isinstance(Desk().guard().judge(text), Leave)
