"""The guard: nothing runs unjudged or unrecorded, an approval is good once, masks come before rows."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest

from dbgate_core.approval.digest import statement_digest
from dbgate_core.audit.canonical import MAX_TEXT_BYTES
from dbgate_core.audit.chain import Chain
from dbgate_core.budget import Budget
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.decision import Obligations, SessionLimits
from dbgate_core.errors import AuditUnavailable, Denied, LimitExceeded
from dbgate_core.guard import ConnectionGuard
from dbgate_core.guard.leave import Leave
from dbgate_core.guard.sight import CATALOG_MAX_AGE_NS, PARTIAL_CATALOG_MAX_AGE_NS
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.styles import MaskStyle, MaskStyles
from dbgate_core.pgwire.guard import Moved, Outcome, Parameters, Refusal, Status
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import Picture, Scope
from dbgate_core.sql.effects import Action
from dbgate_core.verdicts import Subject, Verdicts
from tests.unit.guard.doubles import (
    ALICE,
    CUSTOMERS,
    CUSTOMERS_OID,
    INT8,
    PLAIN,
    PROD,
    SHOP,
    TEXT,
    Desk,
    TablePolicy,
)

DROP = "drop table customers"
EMAIL = Field("email", CUSTOMERS_OID, 2, TEXT, -1, -1, 0)


def leave(guard: ConnectionGuard, text: str) -> Leave:
    permit = guard.judge(text)
    assert isinstance(permit, Leave), permit
    return permit


def row(*values: bytes) -> bytes:
    body = struct.pack("!H", len(values)) + b"".join(struct.pack("!i", len(v)) + v for v in values)
    return message(b"D", body)


def approve(desk: Desk, text: str) -> str:
    digest = statement_digest(text, "prod-db", "readonly")
    desk.approvals.held[digest] = "r1"
    return digest


def test_a_statement_is_recorded_before_and_after() -> None:
    desk = Desk()
    guard = desk.guard()
    begun = guard.begin(leave(guard, "select id from plain"), None, "simple")
    assert desk.log.kinds() == ["statement"]
    desk.now_ns = 5_000_000
    guard.end(begun, Outcome(Status.OK, "SELECT 3", 3))
    kind, entry = desk.log.entries[1]
    assert kind == "statement_end"
    assert (entry["begin"], entry["rows"], entry["duration_us"]) == (0, 3, 5000)
    first = desk.log.entries[0][1]
    assert first["text"] == "select id from plain"
    assert first["tables"] == ["public.plain"]
    assert first["policies"] == ["all"]


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_long_text_stands_in_the_log_in_parts(protocol: str) -> None:
    desk = Desk()
    guard = desk.guard()
    text = f"select id from plain -- {'x' * 2 * MAX_TEXT_BYTES}"
    for _ in range(2):
        guard.begin(leave(guard, text), Parameters(b"", 1), protocol)
        lines = Chain().lines("statement", "now", desk.log.written[-1])
        entries = [json.loads(line) for line in lines]
        assert "".join(entry["text"] for entry in entries) == text
        assert len(entries) == entries[0]["text_parts"] == 3


def test_what_only_observes_is_recorded_with_what_ran_and_what_did_not() -> None:
    desk = Desk(policy=TablePolicy(observed=("trial",)))
    guard = desk.guard()
    guard.begin(leave(guard, "select id from plain"), None, "simple")
    assert isinstance(guard.judge("drop table plain"), Refusal)
    assert [entry["observed"] for _, entry in desk.log.entries] == [["trial"], ["trial"]]


def test_a_syntax_error_says_where() -> None:
    refusal = Desk().guard().judge("select 'grüße' frm from")
    assert isinstance(refusal, Refusal)
    assert (refusal.sqlstate, refusal.position) == ("42601", 24)


def test_without_a_log_nothing_begins() -> None:
    desk = Desk()
    guard = desk.guard()
    permit = leave(guard, "select 1")
    desk.log.full = True
    with pytest.raises(AuditUnavailable):
        guard.begin(permit, None, "simple")


def test_without_a_log_a_refusal_says_so() -> None:
    desk = Desk()
    guard = desk.guard()
    desk.log.full = True
    refused = guard.judge("do $$ begin end $$")
    assert isinstance(refused, Refusal)
    assert refused.sqlstate == "53100"


def test_a_refusal_is_recorded_with_its_rule_and_hint() -> None:
    desk = Desk()
    refused = desk.guard().judge("do $$ begin end $$")
    assert refused == Refusal("42501", "code is denied", hint="do not", rule="no-code")
    kind, entry = desk.log.entries[0]
    assert kind == "statement_refused"
    assert (entry["verdict"], entry["policies"]) == ("deny", ["no-code"])


@pytest.mark.parametrize(
    "text", ["selct 1", "select 'open", "select 1;; drop tabel x", "select \0"]
)
def test_what_is_not_parsed_is_refused_and_recorded(text: str) -> None:
    desk = Desk()
    refused = desk.guard().judge(text)
    assert isinstance(refused, Refusal)
    assert refused.sqlstate == "42601"
    assert desk.log.kinds() == ["statement_refused"]


def test_a_held_statement_without_approval_is_refused_as_held() -> None:
    desk = Desk()
    refused = desk.guard().judge(DROP)
    assert isinstance(refused, Refusal)
    assert desk.log.entries[0][1]["verdict"] == "hold"
    assert desk.log.entries[0][1]["approval"] == "dba:1"


def test_an_approval_lets_the_very_statement_run_once() -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, DROP)
    permit = leave(guard, f"  {DROP} ; ")
    guard.begin(permit, None, "simple")
    assert desk.log.entries[0][1]["request"] == "r1"
    with pytest.raises(Denied):
        guard.begin(permit, None, "extended")
    assert isinstance(guard.judge(DROP), Refusal)


def test_an_approval_is_for_no_other_statement() -> None:
    desk = Desk()
    approve(desk, DROP)
    for other in ("drop table plain", "drop table customers cascade", f"{DROP}; {DROP}"):
        assert isinstance(desk.guard().judge(other), Refusal)


def test_an_approval_is_not_for_parameters() -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, DROP)
    permit = leave(guard, DROP)
    with pytest.raises(Denied, match="no parameters"):
        guard.begin(permit, Parameters(b"\0\0\0\1\0\0\0\11\0\0", 1), "extended")
    assert desk.approvals.held


def test_an_approval_does_not_survive_a_changed_search_path() -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, DROP)
    permit = leave(guard, DROP)
    guard.begin(leave(guard, "set search_path = other"), None, "simple")
    with pytest.raises(Denied):
        guard.begin(permit, None, "simple")
    assert isinstance(guard.judge(DROP), Refusal)
    assert isinstance(
        Desk(search_path=("x",), approvals=desk.approvals).guard().judge(DROP), Refusal
    )


def test_a_server_that_reports_the_default_search_path_changes_nothing() -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, DROP)
    guard.parameter("search_path", '"$user", public')  # PostgreSQL 18, at the start
    guard.begin(leave(guard, DROP), None, "simple")


@pytest.mark.parametrize("path", ["other, public", "public", '"$user",public', ""])
def test_a_reported_search_path_that_is_another_is_never_trusted_again(path: str) -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, DROP)
    guard.parameter("search_path", path)
    guard.parameter("search_path", '"$user", public')
    assert isinstance(guard.judge(DROP), Refusal)


def test_only_a_guard_makes_permits() -> None:
    class Forged:
        text = "drop table customers"
        moves = Moved()
        row_cap = None

    with pytest.raises(TypeError):
        Desk().guard().begin(Forged(), None, "simple")


def test_protected_columns_are_masked_and_said_at_the_end() -> None:
    desk = Desk()
    guard = desk.guard()
    permit = leave(guard, "select email from customers")
    mask = guard.rows(permit, [EMAIL])
    assert mask is not None
    assert b"alice@example.com" not in mask.rewrite(row(b"alice@example.com"))
    begun = guard.begin(permit, None, "extended")
    guard.end(begun, Outcome(Status.OK, "SELECT 1", 1, masked_values=mask.values))
    assert desk.log.entries[-1][1]["masked_values"] == 1
    masked = desk.log.entries[-1][1]["masked"]
    assert masked == [{"column": "email", "class": "email", "mask": "partial"}]


def test_a_column_that_took_anothers_name_in_this_transaction_is_not_copied_by_it() -> None:
    found = frozenset({DataClass.PERSON_NAME})
    columns = (Column(1, "word", TEXT), Column(2, "body", TEXT, found, found=found))
    kept = CatalogRelation(20_002, "public", "kept", RelationKind.TABLE, columns)
    desk = Desk(catalog=Catalog([kept, PLAIN], "1"))
    guard = desk.guard()
    copy = "insert into plain (id) select word from kept"
    assert isinstance(guard.judge(copy), Leave)
    for step in ("word to away", "body to word"):
        begun = guard.begin(leave(guard, f"alter table kept rename {step}"), None, "simple")
        guard.end(begun, Outcome(Status.OK, "ALTER TABLE"))
    assert isinstance(guard.judge(copy), Refusal)
    guard.transaction("I")
    guard.renew(Picture(desk.catalog, desk.epoch.value))
    assert isinstance(guard.judge(copy), Leave)


@pytest.mark.parametrize(
    ("shows", "outcome", "said"),
    [
        (True, Outcome(Status.OK, "SELECT 1", 1, masked_values=2), "masked: email (email, partial): 2 values"),
        (True, Outcome(Status.OK, "SELECT 0", 0), None),
        (True, Outcome(Status.ERROR, sqlstate="22012", masked_values=2), None),
        (False, Outcome(Status.OK, "SELECT 1", 1, masked_values=2), None),
    ],
)  # fmt: skip
def test_a_client_that_asks_is_told_what_was_masked(
    shows: bool, outcome: Outcome, said: str | None
) -> None:
    guard = Desk(shows_masks=shows).guard()
    permit = leave(guard, "select email from customers")
    begun = guard.begin(permit, None, "simple")
    guard.rows(permit, [EMAIL])
    assert guard.end(begun, outcome) == said


def test_what_was_approved_may_change_more_rows_than_others() -> None:
    desk = Desk(
        policy=TablePolicy(held=frozenset({Action.UPDATE})),
        budget=Budget(SessionLimits(rows_affected=1)),
    )
    guard = desk.guard()
    changes = "with u as (update plain set id = 1 returning 1) select 1"
    assert isinstance(guard.judge(changes), Refusal)
    for text in (changes, "update plain set id = 2"):
        approve(desk, text)
        assert leave(guard, text).row_cap is None
    assert leave(guard, "insert into plain values (1)").row_cap == 1


NOTE = Field("note", 0, 0, TEXT, -1, -1, 0)


def reading() -> Desk:
    return Desk(policy=TablePolicy(obligations=Obligations(free_text=True)), shows_masks=True)


def test_what_stands_within_texts_is_masked_and_said_at_the_end() -> None:
    desk = reading()
    guard = desk.guard()
    permit = leave(guard, "select 'it' as note")
    for count in (1, 2):
        mask = guard.rows(permit, [NOTE])
        assert mask is not None
        begun = guard.begin(permit, None, "extended")
        assert mask.rewrite(row(b"nothing")) == row(b"nothing")
        assert b"alice@" not in mask.rewrite(row(b"to alice@example.com") * count)
        told = guard.end(begun, Outcome(Status.OK, "SELECT 1", 1, masked_values=mask.values))
        said = desk.log.entries[-1][1]
        assert told == f"masked: {count} email within note"
        assert said["found"] == [{"column": "note", "class": "email", "values": count}]
        assert "masked" not in said


def test_texts_are_read_in_a_database_without_any_classes() -> None:
    desk = reading()
    desk.catalog = Catalog([PLAIN], "2")
    guard = desk.guard()
    permit = leave(guard, "select 'it' as note")
    assert guard.rows(permit, [NOTE]) is not None
    assert guard.copy_out(leave(guard, "copy plain to stdout"), False, 1) is None


def test_texts_are_read_in_copies_and_errors_too() -> None:
    guard = reading().guard()
    mask = guard.copy_out(leave(guard, "copy (select 'x', id from plain) to stdout"), False, 2)
    assert mask is not None
    assert b"alice@" not in mask.rewrite(b"to alice@example.com\t1\n")
    with pytest.raises(Denied):
        guard.copy_out(leave(guard, "copy (select 'x') to stdout (format binary)"), True, 1)
    error = guard.redact(leave(guard, "select 1"), {"C": "22P02", "M": "not alice@example.com"})
    assert "alice@" not in error["M"]


def test_a_result_of_numbers_is_not_read() -> None:
    guard = reading().guard()
    permit = leave(guard, "select id from plain")
    assert guard.rows(permit, [Field("id", 20_001, 1, 20, 8, -1, 1)]) is None


def test_what_is_not_protected_is_not_looked_at() -> None:
    guard = Desk().guard()
    permit = leave(guard, "select id from plain")
    assert guard.rows(permit, [Field("id", 20_001, 1, 20, 8, -1, 1)]) is None


def test_policy_may_bound_the_rows_of_a_result() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(row_limit=2)))
    guard = desk.guard()
    mask = guard.rows(leave(guard, "select id from plain"), [Field("id", 20_001, 1, 20, 8, -1, 1)])
    assert mask is not None
    two = row(b"1") + row(b"2")
    assert mask.rewrite(two) == two
    with pytest.raises(LimitExceeded):
        mask.rewrite(row(b"3"))
    with pytest.raises(Denied):
        guard.copy_out(leave(guard, "copy plain to stdout"), False, 1)


def ddl(guard: ConnectionGuard, text: str) -> None:
    guard.end(guard.begin(leave(guard, text), None, "simple"), Outcome(Status.OK))


def test_ddl_makes_the_catalog_stale_once_committed_and_so_does_time() -> None:
    desk = Desk()
    guard, other = desk.guard(), desk.guard()
    stale = [guard.stale, other.stale]
    ddl(guard, "create table fresh (id int)")
    guard.transaction("T")
    stale += [guard.stale, other.stale]
    guard.transaction("I")
    stale += [guard.stale, other.stale]
    guard.renew(Picture(desk.catalog, 1))
    stale.append(guard.stale)
    desk.now_ns = CATALOG_MAX_AGE_NS + 1
    stale.append(guard.stale)
    assert stale == [False, False, False, False, True, True, False, True]


def test_a_picture_that_lacks_what_is_locked_is_old_after_two_seconds_and_says_so() -> None:
    desk = Desk()
    guard = desk.guard()
    view = CatalogRelation(20_002, "public", "v", RelationKind.VIEW, PLAIN.columns, "'locked")
    guard.renew(Picture(Catalog([CUSTOMERS, view], "2", partial=True)))
    refusal = guard.judge("select id from v")
    assert isinstance(refusal, Refusal)
    assert refusal.hint == "try again when that transaction has ended"
    stale = [guard.stale]
    desk.now_ns = PARTIAL_CATALOG_MAX_AGE_NS + 1
    assert [*stale, guard.stale] == [False, True]


def test_temporary_tables_make_nothing_stale() -> None:
    guard = Desk().guard()
    ddl(guard, "create temp table t (id int)")
    guard.transaction("I")
    assert not guard.stale


WELL = Outcome(Status.OK)
UPPER = Field("upper", 0, 0, TEXT, -1, -1, 0)


def test_between_own_ddl_and_a_new_catalog_computed_columns_are_masked() -> None:
    desk = Desk()
    guard = desk.guard()
    ddl(guard, "alter table customers rename column email to mail")
    permit = leave(guard, "select upper(id::text) from customers")
    assert guard.rows(permit, [UPPER]) is not None
    guard.transaction("I")
    assert guard.rows(permit, [UPPER]) is not None
    guard.renew(Picture(desk.catalog, desk.epoch.value))
    assert guard.rows(permit, [UPPER]) is None


COUNT = Field("count", 0, 0, INT8, -1, -1, 0)


@pytest.mark.parametrize(
    ("change", "text", "masked"),
    [
        ("alter table customers rename column email to mail", "select 1", False),
        ("alter table customers add column x int", "select count(*) from customers", False),
        ("alter table customers add column x int", "select version()", False),
        ("create sequence s", "with n as (select 1 as a) select a from n", False),
        ("alter table customers rename column email to mail", "select max(id) from plain", True),
        ("alter table plain rename to p", "select (select id from customers)", True),
        ("create view v as select 1 as a", "select sum(a) from v", True),
        ("create function count(int) returns int language sql as 'select 1'", "select 1", True),
        ("create schema other", "select count(*) from plain", True),
        ("alter table customers add column x int; set search_path = other", "select 1", True),
    ],
)
def test_what_names_no_column_is_not_masked_after_ddl_on_relations(
    change: str, text: str, masked: bool
) -> None:
    guard = Desk().guard()
    for one in change.split("; "):
        ddl(guard, one)
    assert (guard.rows(leave(guard, text), [COUNT]) is not None) is masked


def test_a_new_table_hides_nothing_unless_the_path_may_lead_to_it() -> None:
    guard = Desk().guard()
    ddl(guard, "create table fresh (id int)")
    permit = leave(guard, "select upper(id::text) from plain")
    assert guard.rows(permit, [UPPER]) is None
    guard.begin(leave(guard, "set search_path = other"), None, "simple")
    assert guard.rows(permit, [UPPER]) is not None


def test_code_that_cannot_be_followed_casts_doubt_on_what_was_prepared_before() -> None:
    guard = Desk().guard()
    before = leave(guard, "select upper(id::text) from plain")
    call = leave(guard, "select my_function()")
    assert call.moves.code
    guard.begin(call, None, "simple")
    assert guard.rows(before, [UPPER]) is not None
    assert guard.rows(leave(guard, "select upper(id::text) from plain"), [UPPER]) is None


def test_error_texts_do_not_quote_protected_values() -> None:
    guard = Desk().guard()
    permit = leave(guard, "select email from customers")
    fields = {"S": "ERROR", "C": "22P02", "M": 'invalid input syntax: "alice@example.com"'}
    assert "alice@" not in guard.redact(permit, fields)["M"]
    assert "alice@" not in guard.redact(None, fields)["M"]
    assert "alice@" not in guard.notification("c", "alice@example.com")


def test_where_unmask_is_permitted_nothing_is_touched() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=False)))
    guard = desk.guard()
    permit = leave(guard, "select email from customers")
    assert guard.rows(permit, [EMAIL]) is None
    assert guard.notification("c", "alice@example.com") == "alice@example.com"


@pytest.mark.parametrize(("style", "shown"), [(MaskStyle.REDACT, b"***"), (MaskStyle.NULL, None)])
def test_policy_says_what_a_mask_leaves(style: MaskStyle, shown: bytes | None) -> None:
    guard = Desk(policy=TablePolicy(obligations=Obligations(styles=MaskStyles(style)))).guard()
    mask = guard.rows(leave(guard, "select email from customers"), [EMAIL])
    assert mask is not None
    expected = message(b"D", b"\0\1\xff\xff\xff\xff") if shown is None else row(shown)
    assert mask.rewrite(row(b"alice@example.com")) == expected


def test_policy_says_it_for_each_class() -> None:
    styles = MaskStyles(MaskStyle.NULL, ((DataClass.EMAIL, MaskStyle.REDACT),))
    guard = Desk(policy=TablePolicy(obligations=Obligations(styles=styles))).guard()
    mask = guard.rows(leave(guard, "select email from customers"), [EMAIL])
    assert mask is not None
    assert mask.rewrite(row(b"alice@example.com")) == row(b"***")


def test_a_token_leaves_no_part() -> None:
    guard = Desk(
        policy=TablePolicy(obligations=Obligations(styles=MaskStyles(MaskStyle.TOKEN)))
    ).guard()
    mask = guard.rows(leave(guard, "select email from customers"), [EMAIL])
    assert mask is not None
    assert b"example" not in mask.rewrite(row(b"alice@example.com"))


def test_what_passed_in_clear_is_recorded() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=False)))
    guard = desk.guard()
    guard._scope = replace(guard._scope, reason="TICKET-1")
    for text, rows in (("select email from customers", 2), ("select id from customers", 2)):
        permit = leave(guard, text)
        running = guard.begin(permit, None, "simple")
        fields = [EMAIL] if "email" in text else [replace(EMAIL, name="id", attnum=1)]
        assert guard.rows(permit, fields) is None
        guard.end(running, Outcome(Status.OK, f"SELECT {rows}", rows))
    ends = [fields for kind, fields in desk.log.entries if kind == "statement_end"]
    assert ends[0]["exposed"] == [{"column": "email", "classes": ["email"]}]
    assert (ends[0]["rows"], ends[0]["reason"]) == (2, "TICKET-1")
    assert "exposed" not in ends[1]
    assert "reason" not in ends[1]


def test_a_copy_in_clear_is_recorded() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=False)))
    guard = desk.guard()
    permit = leave(guard, "copy customers to stdout (format binary)")
    running = guard.begin(permit, None, "simple")
    assert guard.copy_out(permit, True, 2) is None
    guard.end(running, Outcome(Status.OK, "COPY 5", 5))
    (end,) = [fields for kind, fields in desk.log.entries if kind == "statement_end"]
    assert end["exposed"] == [{"column": "email", "classes": ["email"]}]


def test_other_literals_cost_no_policy_and_a_refusal_is_never_remembered_across_texts() -> None:
    desk = Desk()
    guard = desk.guard()
    before = desk.policy.asked
    for n in range(5):
        leave(guard, f"select id from plain where id = {n}")
    assert desk.policy.asked == before + 1
    guard.judge("drop table plain")
    guard.judge("drop table  plain")
    assert desk.policy.asked == before + 3


def test_the_connection_ends_once_in_the_log() -> None:
    desk = Desk()
    guard = desk.guard()
    guard.closed()
    guard.closed()
    assert desk.log.kinds() == ["connection_closed"]


def test_a_result_without_masks_is_planned_anew_on_a_new_picture() -> None:
    desk = Desk()
    guard = desk.guard()
    permit = leave(guard, "select id from plain")
    fields = (Field("id", PLAIN.oid, 1, INT8, 8, -1, 0),)
    assert guard.rows(permit, fields) is None
    assert guard.rows(permit, fields) is None
    labelled = replace(PLAIN, columns=(Column(1, "id", INT8, frozenset({DataClass.NATIONAL_ID})),))
    guard.renew(Picture(Catalog([CUSTOMERS, labelled], "2")))
    assert guard.rows(permit, fields) is not None


def test_a_result_without_masks_is_planned_anew_after_code() -> None:
    desk = Desk(TablePolicy(denied=frozenset()))
    guard = desk.guard()
    permit = leave(guard, "select id + 1 as n from plain")
    fields = (Field("n", 0, 0, INT8, 8, -1, 0),)
    assert guard.rows(permit, fields) is None
    guard.begin(leave(guard, "do $$ begin end $$"), None, "simple")
    assert guard.rows(permit, fields) is not None


def test_a_result_without_masks_says_nothing_of_another() -> None:
    desk = Desk()
    guard = desk.guard()
    permit = leave(guard, "select id, email from customers")
    assert guard.rows(permit, (Field("id", CUSTOMERS_OID, 1, INT8, 8, -1, 0),)) is None
    assert guard.rows(permit, (EMAIL,)) is not None


def test_connections_share_what_is_said_of_a_statement_and_nothing_of_their_own() -> None:
    """What is encoded once for all must not bring one connection's scope or text into another's."""
    desk = Desk()
    verdicts = Verdicts(desk.policy)
    for number, name in enumerate(("alice", "bob", "alice")):
        scope = Scope(
            Subject(ALICE, PROD, "readonly"),
            {"session": f"s{number}", "who": {"name": name}},
            MaskKey(b"k" * 32),
            desk.approvals,
        )
        guard = ConnectionGuard(scope, Picture(SHOP), verdicts, desk.log, lambda: 0)
        text = f"select id from plain where id = {number}"
        begun = guard.begin(leave(guard, text), None, "simple")
        guard.end(begun, Outcome(Status.OK, "SELECT 1", 1))
        for _, entry in desk.log.entries[-2:]:
            assert entry["scope"] == {**scope.entry, "policy": "v1"}
        assert desk.log.entries[-2][1]["text"] == text
        assert desk.log.entries[-2][1]["verdict"] == "allow"


@pytest.mark.parametrize("tag", ['SELECT "1"\\', "SELECT\u2028\n1", "SELECT \0", "é" * 1000])
def test_a_tag_of_the_server_is_escaped(tag: str) -> None:
    desk = Desk()
    guard = desk.guard()
    begun = guard.begin(leave(guard, "select 1"), None, "simple")
    guard.end(begun, Outcome(Status.OK, tag, 2**70))
    assert (desk.log.entries[-1][1]["tag"], desk.log.entries[-1][1]["rows"]) == (tag, 2**70)


def test_other_policies_count_from_the_next_statement_and_entries_name_them() -> None:
    desk = Desk()
    guard = desk.guard()
    guard.begin(leave(guard, "select id from plain"), None, "simple")
    desk.policy.version, desk.policy.denied = "v2", frozenset({Action.SELECT})
    assert isinstance(guard.judge("select id from plain"), Refusal)
    versions = [entry["scope"]["policy"] for _, entry in desk.log.entries]  # type: ignore[index]  # JSON
    assert versions == ["v1", "v2"]


def test_what_was_prepared_before_other_policies_runs_only_as_they_let_it() -> None:
    desk = Desk()
    guard = desk.guard()
    prepared = leave(guard, "select id from plain")
    desk.policy.version = "v2"
    guard.begin(prepared, None, "extended")
    desk.policy.version, desk.policy.obligations = "v3", Obligations(row_limit=1)
    with pytest.raises(Denied, match="policies have changed"):
        guard.begin(prepared, None, "extended")
    desk.policy.version, desk.policy.denied = "v4", frozenset({Action.SELECT})
    with pytest.raises(Denied, match="code is denied"):
        guard.begin(prepared, None, "extended")
    assert desk.log.kinds() == ["statement"]


@pytest.mark.parametrize(
    ("define", "run"),
    [
        ("prepare p as select id from plain", "execute p"),
        ("prepare p as select id from plain", "explain analyze execute p"),
        ("declare p cursor with hold for select id from plain", "fetch all from p"),
        ("declare p cursor with hold for select id from plain", "move p"),
    ],
)
def test_what_sql_prepared_before_other_policies_is_prepared_again(define: str, run: str) -> None:
    desk = Desk()
    guard = desk.guard()
    well, failed = Outcome(Status.OK, "X"), Outcome(Status.ERROR, sqlstate="42P05")
    guard.end(guard.begin(leave(guard, define), None, "simple"), well)
    parsed = leave(guard, run)
    desk.policy.version = "v2"
    refused = guard.judge(run)
    assert isinstance(refused, Refusal)
    assert "policies have changed" in refused.message
    with pytest.raises(Denied, match="policies have changed"):
        guard.begin(parsed, None, "extended")
    guard.end(guard.begin(leave(guard, define), None, "simple"), failed)  # it exists already
    assert isinstance(guard.judge(run), Refusal)
    guard.end(guard.begin(leave(guard, define), None, "simple"), well)
    leave(guard, run)


def test_an_approval_is_not_used_under_other_policies() -> None:
    desk = Desk()
    guard = desk.guard()
    approve(desk, "drop table plain")
    prepared = leave(guard, "drop table plain")
    desk.policy.version, desk.policy.held = "v2", frozenset()
    with pytest.raises(Denied, match="policies have changed"):
        guard.begin(prepared, None, "extended")
    assert desk.approvals.held


def test_policies_that_no_longer_let_values_be_seen_redact_from_then_on() -> None:
    desk = Desk(policy=TablePolicy(obligations=Obligations(mask=False)))
    guard = desk.guard()
    fields = {"S": "NOTICE", "M": "a@example.com"}
    assert guard.redact(None, fields) == fields
    desk.policy.version, desk.policy.obligations = "v2", Obligations()
    leave(guard, "select id from plain")
    assert guard.redact(None, fields) != fields


def runs(guard: ConnectionGuard, text: str, outcome: Outcome = WELL) -> None:
    guard.end(guard.begin(leave(guard, text), None, "simple"), outcome)


PREPARE_CLEAR = "prepare p as select upper(id::text) from plain"
PREPARE_PROTECTED = "prepare p as select upper(email) from customers"


@pytest.mark.parametrize("status", [Status.ERROR, Status.LOST, Status.SKIPPED])
def test_a_prepare_that_did_not_go_well_says_nothing_of_its_name(status: Status) -> None:
    guard = Desk().guard()
    runs(guard, PREPARE_PROTECTED)
    runs(guard, PREPARE_CLEAR, Outcome(status))
    assert guard.rows(leave(guard, "execute p"), [UPPER]) is not None


def test_a_name_means_what_the_server_has_confirmed_so_far() -> None:
    guard = Desk().guard()
    runs(guard, PREPARE_PROTECTED)
    execute = leave(guard, "execute p")
    guard.begin(leave(guard, PREPARE_CLEAR), None, "simple")
    assert guard.rows(execute, [UPPER]) is not None


def test_a_name_that_the_protocol_moves_is_no_longer_known() -> None:
    guard = Desk().guard()
    runs(guard, PREPARE_CLEAR)
    assert guard.rows(leave(guard, "execute p"), [UPPER]) is None
    guard.renamed("p")
    assert guard.rows(leave(guard, "execute p"), [UPPER]) is not None


def test_nor_is_one_whose_prepare_is_confirmed_only_afterwards() -> None:
    guard = Desk().guard()
    begun = guard.begin(leave(guard, PREPARE_CLEAR), None, "simple")
    guard.renamed("p")
    guard.end(begun, WELL)
    assert guard.rows(leave(guard, "execute p"), [UPPER]) is not None


def test_after_code_no_name_is_known() -> None:
    guard = Desk().guard()
    runs(guard, PREPARE_CLEAR)
    runs(guard, "select my_function()")
    assert guard.rows(leave(guard, "execute p"), [UPPER]) is not None


def test_errors_of_what_is_behind_a_name_and_of_commit_do_not_quote_values() -> None:
    guard = Desk().guard()
    fields = {"S": "ERROR", "C": "22P02", "M": 'invalid input syntax: "alice@example.com"'}
    for text in ("execute p", "fetch all from k", "move k", "explain analyze execute p", "commit"):
        assert "alice@" not in guard.redact(leave(guard, text), fields)["M"], text


def test_a_leave_says_which_names_it_runs() -> None:
    guard = Desk().guard()
    assert leave(guard, "execute p").moves.executes == {"p"}
    assert leave(guard, "fetch all from k").moves.fetches == {"k"}
    assert leave(guard, "select id from plain").moves.runs == frozenset()


def test_a_bind_is_the_execute_of_what_sql_prepared_and_the_server_confirmed() -> None:
    guard = Desk().guard()
    begun = guard.begin(leave(guard, 'prepare "a ""b""" as select id from plain'), None, "simple")
    assert guard.behind('a "b"') == ""
    guard.end(begun, WELL)
    assert guard.behind('a "b"') == 'execute "a ""b"""'
    assert leave(guard, guard.behind('a "b"')).moves.executes == {'a "b"'}
    assert guard.behind("c") == ""
