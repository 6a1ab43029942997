"""A broker that is told to stop: what runs ends, nothing begins, nothing is left."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.commands import LIMIT_S, ROLES, answers, call, dbgate, pid_of, wait_for
from tests.e2e.test_operations import get
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e
RUNNING = "select query from pg_stat_activity where usename like 'v-%' and state = 'active'"

ENDLESS = "select count(*) from (select generate_series(1, 100000000000)) n"


def restart(stage: Stage, number: int) -> None:
    """End the broker; developer mode starts it again, with the configuration as it is now."""
    old = pid_of(stage, "broker")
    os.kill(old, number)
    wait_for(lambda: pid_of(stage, "broker") != old and answers(stage), 3 * LIMIT_S)


@contextmanager
def draining_for(stage: Stage, seconds: int) -> Iterator[None]:
    """A broker with another `drain_s` than developer mode's, which is none."""
    file = stage.home / "dev" / "broker.toml"
    before = file.read_text()
    file.write_text(before.replace("drain_s = 0", f"drain_s = {seconds}"))
    restart(stage, signal.SIGKILL)
    try:
        yield
    finally:
        file.write_text(before)
        restart(stage, signal.SIGKILL)


def refused(stage: Stage) -> bool:
    """Whether a new session is refused because the broker stops; False before it does."""
    try:
        call(stage, "POST", "/v1/sessions", {"database": "prod-db"})
    except AssertionError as exc:
        status, body = exc.args[0]
        assert (status, json.loads(body)["message"]) == (503, "the broker is stopping")
        return True
    return False


def test_what_runs_ends_and_nothing_begins(stage: Stage) -> None:
    with draining_for(stage, 60), tunnel(stage, "alice", "prod-db") as opened:
        busy, idle = psycopg.connect(opened.dsn), psycopg.connect(opened.dsn, autocommit=True)
        idle.execute("select 1")
        busy.execute("select 'in a transaction'")
        old = pid_of(stage, "broker")
        os.kill(old, signal.SIGTERM)
        wait_for(lambda: get(stage, "/readyz")[0] == 503)
        with pytest.raises(psycopg.OperationalError) as told:
            idle.execute("select 2")
        assert told.value.sqlstate in ("57P01", None)  # None: it was closed before libpq read it
        assert refused(stage)
        with pytest.raises(psycopg.OperationalError, match="the broker is stopping"):
            psycopg.connect(opened.dsn)
        assert get(stage, "/healthz")[0] == 200
        assert busy.execute("select count(*) from customers").fetchone()
        assert pid_of(stage, "broker") == old
        busy.commit()
        wait_for(lambda: pid_of(stage, "broker") != old and answers(stage), 3 * LIMIT_S)
        with pytest.raises(psycopg.OperationalError):
            busy.execute("select 3")
        busy.close()
        idle.close()
    assert "exit code 0" in stage.dev_log()
    wait_for(lambda: not stage.superuser("prod-db", ROLES))
    assert dbgate(stage, "audit", "verify", person="carol").returncode == 0


def test_a_second_signal_ends_what_runs(stage: Stage) -> None:
    with draining_for(stage, 600), tunnel(stage, "alice", "prod-db") as opened:
        ended: list[str | None] = []
        connection = psycopg.connect(opened.dsn, autocommit=True)

        def sleep() -> None:
            try:
                connection.execute(ENDLESS)
            except psycopg.Error as exc:
                ended.append(exc.sqlstate)

        sleeper = threading.Thread(target=sleep)
        sleeper.start()
        wait_for(lambda: any(ENDLESS in q for q in stage.superuser("prod-db", RUNNING)))
        old = pid_of(stage, "broker")
        os.kill(old, signal.SIGTERM)
        wait_for(lambda: get(stage, "/readyz")[0] == 503)
        assert not ended
        os.kill(old, signal.SIGTERM)
        sleeper.join(LIMIT_S)
        connection.close()
        assert ended == ["57P01"]
        wait_for(lambda: pid_of(stage, "broker") != old and answers(stage), 3 * LIMIT_S)
    wait_for(lambda: not stage.superuser("prod-db", ROLES))
