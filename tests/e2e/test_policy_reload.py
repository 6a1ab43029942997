"""Policies that change while a statement waits for somebody's leave."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, pid_of, wait_for
from tests.e2e.test_draining import restart
from tests.e2e.test_holds import TOUCH, demand_readwrite, listed, pending, started
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e

SHIPPED = Path(__file__).parents[2] / "policies" / "default"


@contextmanager
def own_policies(stage: Stage) -> Iterator[Path]:
    """A broker with a copy of the shipped rules; gives the file of production's."""
    folder = stage.home / "policies"
    shutil.copytree(SHIPPED, folder)
    config = stage.home / "dev" / "broker.toml"
    before = config.read_text()
    config.write_text(re.sub('policy_directory = ".*"', f'policy_directory = "{folder}"', before))
    restart(stage, signal.SIGKILL)
    try:
        yield folder / "production.cedar"
    finally:
        config.write_text(before)
        restart(stage, signal.SIGKILL)
        shutil.rmtree(folder)


def change(stage: Stage, file: Path, old: str, new: str) -> None:
    """Change a rule of the broker's, and have it read them again."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    os.kill(pid_of(stage, "broker"), signal.SIGHUP)


def test_a_statement_that_waits_is_judged_anew(stage: Stage) -> None:
    role = ("--role", "readwrite")
    with own_policies(stage) as rules:
        demand_readwrite(stage)
        with tunnel(stage, "alice", "prod-db", *role, "--hold", "5m") as opened:
            waiting = started(opened, TOUCH)
            first = pending(stage)

            rule = '@id("production-every-row")\n@approval("dba:1")'
            change(stage, rules, rule, rule.replace("dba:1", "dba:2"))
            wait_for(lambda: [r for r in listed(stage) if r["approval"] == "dba:2"])
            assert pending(stage) != first
            assert listed(stage, "withdrawn")[0]["id"] == first

            real = 'unless { context.predicate == "real" };'
            change(stage, rules, real, 'unless { ["real", "absent"].contains(context.predicate) };')
            out, err = waiting.communicate(timeout=LIMIT_S)
            assert (waiting.returncode, out[:6]) == (0, "UPDATE"), err
            assert listed(stage) == []
