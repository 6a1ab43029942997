"""A sampled guard decides as the plain one does, counts all, and times what it is told to."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest

from dbgate_broker.telemetry.guard import SampledGuard, Sampler
from dbgate_broker.telemetry.tally import Tally
from dbgate_core.guard import ConnectionGuard
from dbgate_core.masking.key import MaskKey
from dbgate_core.pgwire.guard import Hold, Outcome, Permit, Refusal, Status
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import Picture, Scope
from dbgate_core.verdicts import Subject, Verdicts
from tests.unit.guard.doubles import (
    ALICE,
    CUSTOMERS_OID,
    PROD,
    SHOP,
    TEXT,
    Approvals,
    MemoryLog,
    TablePolicy,
)

OK = Outcome(Status.OK, "SELECT 1", 1)
EMAIL = (Field("email", CUSTOMERS_OID, 2, TEXT, -1, -1, 0),)
ROW = message(b"D", b"\0\1\0\0\0\x0da@example.com")


class Desk:
    """A sampled guard and what is around it."""

    def __init__(self, policy: TablePolicy | None = None) -> None:
        self.log = MemoryLog()
        self.tally = Tally("prod-db", "production", "readonly")
        scope = Scope(Subject(ALICE, PROD, "readonly"), {}, MaskKey(b"k" * 32), Approvals())
        verdicts = Verdicts(policy or TablePolicy())
        self.guard = SampledGuard(scope, Picture(SHOP), verdicts, self.log, self.tally)
        self.counts = scope.counts

    def run(self, text: str, outcome: Outcome = OK) -> Permit:
        permit = self.guard.judge(text)
        assert not isinstance(permit, Refusal | Hold)
        self.guard.end(self.guard.begin(permit, None, "simple"), outcome)
        return permit


def used(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def test_each_run_of_a_statement_counts_by_its_class() -> None:
    desk = Desk()
    permit = desk.run("select id from plain")
    desk.run("insert into plain values (1)")
    desk.guard.end(desk.guard.begin(permit, None, "extended"), OK)
    assert used(desk.counts.allowed) == {"read": 2, "write": 1}
    assert not used(desk.counts.denied)
    assert desk.counts.ended[Status.OK] == 3
    assert sum(desk.counts.durations) == 3


def test_one_statement_is_timed_each_time_it_is_told_to() -> None:
    desk = Desk()
    desk.run("select 1")
    assert sum(desk.tally.judge.counts) == sum(desk.tally.record.counts) == 0
    sampler = Sampler()
    sampler.guards.add(desk.guard)
    for times in (1, 2):
        sampler.tick()
        sampler.tick()
        for _ in range(5):
            permit = desk.run("select id from plain")
            assert desk.guard.rows(permit, ()) is None
        assert sum(desk.tally.judge.counts) == times
        assert sum(desk.tally.record.counts) == 2 * times
    assert type(desk.guard) is SampledGuard
    assert isinstance(desk.guard, ConnectionGuard)
    assert desk.log.kinds().count("statement") == 11


def test_a_guard_that_is_gone_is_not_kept() -> None:
    sampler = Sampler()
    sampler.guards.add(Desk().guard)
    gc.collect()
    assert not sampler.guards


@pytest.mark.parametrize(
    ("text", "deny", "hold"),
    [
        ("do $$ begin end $$", {"code": 1}, {}),
        ("not sql at all", {"unknown": 1}, {}),
        ("drop table plain", {}, {"schema": 1}),
    ],
)
def test_a_refusal_counts_by_its_verdict(
    text: str, deny: dict[str, int], hold: dict[str, int]
) -> None:
    desk = Desk()
    assert isinstance(desk.guard.judge(text), Refusal)
    assert (used(desk.counts.denied), used(desk.counts.held)) == (deny, hold)
    assert not used(desk.counts.allowed)
    assert desk.log.kinds() == ["statement_refused"]


def test_masking_is_timed_and_masks_as_before() -> None:
    desk = Desk()
    permit = desk.run("select email from customers")
    desk.guard.sample()
    fields: Sequence[Field] = EMAIL
    mask = desk.guard.rows(permit, fields)
    assert mask is not None
    masked = mask.rewrite(ROW)
    assert b"a@example.com" not in masked
    assert masked[:1] == b"D"
    copying = desk.run("copy customers (email) to stdout")
    desk.guard.sample()
    copied = desk.guard.copy_out(copying, False, 1)
    assert copied is not None
    assert b"a@example.com" not in copied.rewrite(b"a@example.com\n") + copied.finish()
    assert sum(desk.tally.plan.counts) == 2
    assert sum(desk.tally.mask.counts) == 2
