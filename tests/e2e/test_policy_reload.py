"""A broker with rules of its own: changed while a statement waits, and with limits of sessions."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, dbgate, pid_of, wait_for
from tests.e2e.test_draining import restart
from tests.e2e.test_holds import TOUCH, demand_readwrite, listed, pending, started
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e

SHIPPED = Path(__file__).parents[2] / "policies" / "default"


@contextmanager
def own_policies(stage: Stage, *changes: tuple[str, str, str]) -> Iterator[Path]:
    """A broker with a copy of the shipped rules, changed by file, text and other text; gives its folder."""
    folder = stage.home / "policies"
    shutil.copytree(SHIPPED, folder)
    for file, old, new in changes:
        replace_in(folder / file, old, new)
    config = stage.home / "dev" / "broker.toml"
    before = config.read_text()
    config.write_text(re.sub('policy_directory = ".*"', f'policy_directory = "{folder}"', before))
    restart(stage, signal.SIGKILL)
    try:
        yield folder
    finally:
        config.write_text(before)
        restart(stage, signal.SIGKILL)
        shutil.rmtree(folder)


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def change(stage: Stage, file: Path, old: str, new: str) -> None:
    """Change a rule of the broker's, and have it read them again."""
    replace_in(file, old, new)
    os.kill(pid_of(stage, "broker"), signal.SIGHUP)


def test_a_statement_that_waits_is_judged_anew(stage: Stage) -> None:
    role = ("--role", "readwrite")
    with own_policies(stage) as folder:
        rules = folder / "production.cedar"
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


def test_a_session_gets_no_more_than_its_permit_lets_it(stage: Stage) -> None:
    rule = '@id("developers-connect")'
    limits = f'{rule}\n@session_rows("5")\n@statement_seconds("1")'
    few = "select generate_series(1, 3)"
    with (
        own_policies(stage, ("access.cedar", rule, limits)),
        tunnel(stage, "alice", "prod-db") as opened,
    ):
        long = opened.psql(
            "set statement_timeout = 0", "select count(*) from generate_series(1, 1e10)"
        )
        assert "policy lets a statement run for 1 s" in long.stderr
        assert "canceling statement" in long.stderr
        assert opened.psql(few).stdout.split() == ["1", "2", "3"]
        more = opened.psql(few)
        assert (more.returncode, more.stdout.split()) == (1, [])
        assert "policy lets a session have at most 5 rows of results" in more.stderr
        assert opened.psql("select 1").returncode == 1, "nothing more begins"
    shown = dbgate(stage, "audit", "show", str(opened.event["session"]), "--json", person="carol")
    entries = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [e["limits"] for e in entries if e["kind"] == "session_opened"] == [
        {"rows": 5, "timeout_s": 1}
    ]


def test_values_are_shown_to_those_who_say_what_for_and_masked_for_others(stage: Stage) -> None:
    whole = '@id("dba-connect")'
    rule = (
        '@id("why") permit (principal in Group::"developers", action == Action::"unmask", resource)'
        "\nwhen { context.has_reason };\n\n"
    )
    with own_policies(stage, ("access.cedar", whole, rule + whole)):
        asked = ("query", "prod-db", "select email from customers where id = 1", "--format", "csv")
        masked = dbgate(stage, *asked)
        shown = dbgate(stage, *asked, "--reason", "CASE-7: a bounce")
        assert (masked.returncode, shown.returncode) == (0, 0), masked.stderr + shown.stderr
        assert "***" in masked.stdout
        assert "***" not in shown.stdout
        assert "@" in shown.stdout
        found = dbgate(stage, "audit", "search", "--exposed", "email", "--json", person="carol")
        last = [json.loads(line) for line in found.stdout.splitlines()][-1]
        assert "CASE-7: a bounce" in json.dumps(last)


def test_a_day_has_no_more_than_its_permit_lets_it_whatever_is_restarted(stage: Stage) -> None:
    rule = '@id("developers-connect")'
    limits = f'{rule}\n@day_rows("5")'
    few = ("query", "prod-db", "select generate_series(1, 3)", "--format", "csv")
    with own_policies(stage, ("access.cedar", rule, limits)):
        assert dbgate(stage, *few).returncode == 0
        more = dbgate(stage, *few)
        assert more.returncode == 1, more.stderr
        assert "at most 5 rows of results of prod-db a day" in more.stderr
        assert "00:00 UTC" in more.stderr
        restart(stage, signal.SIGTERM)
        shut = dbgate(stage, "connect", "prod-db", "--agent", "other", "--", "-c", "select 1")
        assert shut.returncode == 4, shut.stderr
        assert "at most 5 rows of results of prod-db a day" in shut.stderr
