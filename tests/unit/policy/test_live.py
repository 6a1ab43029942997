"""Policies replaced while a broker runs: whole, recorded first, or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from dbgate_broker.live_policies import LivePolicies
from dbgate_broker.policies import read_policies
from dbgate_broker.serving import Reloads
from tests.unit.guard.doubles import MemoryLog
from tests.unit.policy.people import ALICE, DEVELOPMENT, EVERYTHING, analysis, effect

SHUT = '@id("shut") forbid(principal, action == Action::"connect", resource);'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.cedar").write_text(EVERYTHING)
    return tmp_path


def live(folder: Path, log: MemoryLog) -> LivePolicies:
    return LivePolicies(folder, read_policies(folder), log)


def enters(policies: LivePolicies) -> bool:
    return policies.connect(ALICE, DEVELOPMENT, "readonly").allowed


def test_a_good_set_is_taken_up_and_recorded(folder: Path) -> None:
    log = MemoryLog()
    policies = live(folder, log)
    before = policies.version
    (folder / "b.cedar").write_text(SHUT)
    assert enters(policies)
    assert asyncio.run(policies.reload())
    assert not enters(policies)
    assert not policies.statement(
        ALICE, DEVELOPMENT, "readonly", analysis(effect("select table t"))
    ).allowed
    assert policies.may(ALICE, "request", DEVELOPMENT).allowed
    ((kind, entry),) = log.entries
    assert (kind, entry) == ("policy_loaded", {"policy": policies.version, "before": before})


def test_a_bad_set_is_told_whole_and_the_old_one_stays(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = MemoryLog()
    policies = live(folder, log)
    version = policies.version
    (folder / "b.cedar").write_text("permit(;\n\nforbid(;")
    assert not asyncio.run(policies.reload())
    assert enters(policies)
    assert policies.version == version
    assert not log.entries
    assert "b.cedar:1" in caplog.text
    assert "b.cedar:3" in caplog.text


def test_without_a_log_the_old_set_stays(folder: Path) -> None:
    policies = live(folder, MemoryLog(full=True))
    (folder / "b.cedar").write_text(SHUT)
    assert not asyncio.run(policies.reload())
    assert enters(policies)


def test_the_same_set_again_is_no_entry(folder: Path) -> None:
    log = MemoryLog()
    assert asyncio.run(live(folder, log).reload())
    assert not log.entries


def test_a_signal_reads_them_again() -> None:
    async def story() -> int:
        seen = asyncio.Queue[int]()

        async def reload() -> bool:
            await seen.put(1)
            return True

        reloads = Reloads(reload)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloads.ask)
        os.kill(os.getpid(), signal.SIGHUP)
        try:
            return await asyncio.wait_for(seen.get(), 10)
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    assert asyncio.run(story()) == 1
