"""A part that hangs, dies or has no room: new work fails clearly, running work goes on, all heals."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, ROLES, answers, dbgate, frozen, pid_of, wait_for
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e
VERBOSE = ("-XAtq", "-v", "VERBOSITY=verbose")
BEATS = 200


@contextmanager
def logging_statements(stage: Stage) -> Iterator[Path]:
    """PostgreSQL's own log, with every statement in it."""
    with psycopg.connect(stage.ready["postgres"]["prod-db"], autocommit=True) as connection:
        connection.execute("alter system set log_statement = 'all'")
        connection.execute("select pg_reload_conf()")
        try:
            wait_for(lambda: stage.superuser("prod-db", "show log_statement") == ["all"])
            yield stage.home / "dev" / "log" / "postgresql.log"
        finally:
            connection.execute("alter system reset log_statement")
            connection.execute("select pg_reload_conf()")


@contextmanager
def no_room(stage: Stage) -> Iterator[None]:
    """The broker's files cannot grow, as on a full disk (EFBIG instead of ENOSPC)."""
    broker = pid_of(stage, "broker")
    soft, hard = resource.prlimit(broker, resource.RLIMIT_FSIZE)
    resource.prlimit(broker, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(broker, resource.RLIMIT_FSIZE, (soft, hard))


def roles(stage: Stage) -> set[str]:
    return set(stage.superuser("prod-db", ROLES))


def timely_psql(opened: Tunnel, statement: str) -> subprocess.CompletedProcess[str]:
    begun = time.monotonic()
    done = opened.psql(statement, options=VERBOSE)
    assert time.monotonic() - begun < LIMIT_S, "hung"
    return done


def test_openbao_hangs_new_sessions_fail_clearly_and_running_ones_go_on(stage: Stage) -> None:
    before = roles(stage)
    with tunnel(stage, "alice", "prod-db") as opened:
        with psycopg.connect(opened.dsn) as connection, frozen(stage, "openbao"):
            done = dbgate(stage, "connect", "prod-db", "--", "-c", "select 1")
            assert done.returncode == 6, done.stderr
            assert "Vault" in done.stderr
            assert "hint:" in done.stderr
            assert connection.execute("select 42").fetchone() == (42,)
            assert timely_psql(opened, "select 43").stdout == "43\n"
        assert dbgate(stage, "query", "prod-db", "select 1").returncode == 0
    wait_for(lambda: roles(stage) <= before)


def test_a_session_closed_while_openbao_hangs_loses_its_user_afterwards(stage: Stage) -> None:
    before = roles(stage)
    with tunnel(stage, "alice", "prod-db") as opened:
        assert opened.psql("select 1").stdout == "1\n"
        with frozen(stage, "openbao"):
            opened.process.terminate()
            begun = time.monotonic()
            opened.process.wait(2 * LIMIT_S)
            assert time.monotonic() - begun < LIMIT_S
    wait_for(lambda: roles(stage) <= before, 3 * LIMIT_S)


def test_postgresql_hangs_new_connections_fail_clearly(stage: Stage) -> None:
    before = roles(stage)
    with tunnel(stage, "alice", "prod-db") as opened:
        assert opened.psql("select 1").stdout == "1\n"
        with frozen(stage, "postgresql"):  # its backends run on: it takes no new connection
            done = timely_psql(opened, "select 1")
            assert done.returncode == 2
            assert "did not answer in time" in done.stderr
            assert dbgate(stage, "query", "prod-db", "select 1").returncode == 6
        assert opened.psql("select 1").stdout == "1\n"
    wait_for(lambda: roles(stage) <= before)


def test_a_full_disk_of_the_log_stops_statements_until_there_is_room(stage: Stage) -> None:
    with logging_statements(stage) as log, tunnel(stage, "alice", "prod-db") as opened:
        with psycopg.connect(opened.dsn, autocommit=True) as connection:
            connection.execute("select 'before-the-disk-was-full'")
            with no_room(stage):
                for _ in range(2):
                    with pytest.raises(psycopg.OperationalError) as full:
                        connection.execute("select 'while-the-disk-was-full'")
                    assert full.value.sqlstate == "53100"
                    assert full.value.diag.message_hint
                done = dbgate(stage, "query", "prod-db", "select 1")
                assert done.returncode == 6, done.stderr
                assert "hint:" in done.stderr
            connection.execute("select 'after-the-disk-was-full'")
        text = log.read_text()
        assert "before-the-disk-was-full" in text
        assert "while-the-disk-was-full" not in text
        assert "after-the-disk-was-full" in text
    verified = dbgate(stage, "audit", "verify", person="carol")
    assert verified.returncode == 0, verified.stderr


def restart_broker(stage: Stage) -> None:
    """Kill it; developer mode brings it back."""
    old = pid_of(stage, "broker")
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pid_of(stage, "broker") != old and answers(stage), 3 * LIMIT_S)


@contextmanager
def configured(stage: Stage, line: str) -> Iterator[None]:
    """The broker with one line more for its sessions."""
    file = stage.home / "dev" / "broker.toml"
    usual = file.read_text()
    assert usual.count("[sessions]\n") == 1
    file.write_text(usual.replace("[sessions]\n", f"[sessions]\n{line}\n"))
    try:
        restart_broker(stage)
        yield
    finally:
        file.write_text(usual)
        restart_broker(stage)


def test_a_command_line_killed_without_a_word_is_missed_soon(stage: Stage) -> None:
    with configured(stage, "abandoned_s = 2"):
        before = roles(stage)
        with tunnel(stage, "alice", "prod-db") as opened:
            with psycopg.connect(opened.dsn):
                assert len(roles(stage) - before) == 1
            opened.process.kill()
            opened.process.wait()
            wait_for(lambda: roles(stage) <= before)
        shown = dbgate(stage, "sessions", "show", str(opened.event["session"]), "--json")
        assert json.loads(shown.stdout)["close_reason"] == (
            "its dbgate gave no sign of life for 2 s"
        )


def test_clients_are_warned_before_their_session_ends(stage: Stage) -> None:
    with (
        configured(stage, "max_s = 6"),
        tunnel(stage, "alice", "prod-db") as opened,
    ):
        notices: list[str] = []
        with psycopg.connect(opened.dsn, autocommit=True) as connection:
            connection.add_notice_handler(lambda said: notices.append(said.message_primary or ""))
            wait_for(lambda: connection.execute("select 1").fetchone() and notices)
            assert "this session ends at" in notices[0]
            with pytest.raises(psycopg.OperationalError) as ended:
                wait_for(lambda: connection.execute("select 1").fetchone() is None)
            assert ended.value.sqlstate in ("57P01", None)


def test_a_start_and_a_stop_say_so_and_warn_of_nothing(stage: Stage) -> None:
    log = stage.home / "dev" / "log" / "broker.log"
    begun = log.stat().st_size
    old = pid_of(stage, "broker")
    os.kill(old, signal.SIGTERM)
    wait_for(lambda: pid_of(stage, "broker") != old and answers(stage), 3 * LIMIT_S)
    lines = log.read_bytes()[begun:].decode().splitlines()
    assert [line.split(": ", 1)[1] for line in lines[:3]] == [
        "draining for at most 0 s; a second signal stops at once",
        "stopping: nothing runs any more",
        "stopped",
    ]
    assert "API on" in lines[-1]
    assert not [line for line in lines if " INFO " not in line]


def reached(log: Path) -> Counter[str]:
    """Beats in PostgreSQL's own log."""
    found = re.findall(r"(?:statement|execute [^:]*): (select \S+ as beat)", log.read_text())
    return Counter(found)


def recorded(stage: Stage) -> Counter[str]:
    """Beats in the audit log's own files."""
    texts: Counter[str] = Counter()
    for file in (stage.home / "dev" / "audit").rglob("*"):
        if file.is_file():
            for line in file.read_text(errors="replace").splitlines():
                if " as beat" in line and line.startswith("{"):
                    texts[str(json.loads(line)["text"]).strip(" ;\n")] += 1
    return texts


def test_a_broker_killed_in_mid_load_has_recorded_all_that_ran(
    stage: Stage, tmp_path: Path
) -> None:
    before = roles(stage)
    script = tmp_path / "beat.sql"
    script.write_text("\\set n random(1, 1000000000)\nselect :n as beat;\n")
    with logging_statements(stage) as log, tunnel(stage, "alice", "prod-db") as opened:
        crowd = [
            subprocess.Popen(
                ["pgbench", "-n", "-f", str(script), "-M", mode, "-c", "2", "-T", "60"],
                env=opened.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for mode in ("simple", "extended", "prepared")
        ]
        wait_for(lambda: reached(log).total() > BEATS, 3 * LIMIT_S)
        assert len(reached(log)) > 10
        restart_broker(stage)
        for member in crowd:
            assert member.wait(LIMIT_S) != 0
    wait_for(lambda: roles(stage) <= before)
    assert not reached(log) - recorded(stage)
    verified = dbgate(stage, "audit", "verify", person="carol")
    assert verified.returncode == 0, verified.stderr
    assert dbgate(stage, "query", "prod-db", "select 1").returncode == 0
