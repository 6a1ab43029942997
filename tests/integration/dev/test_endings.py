"""Ends of developer mode: asked for, by a crash, by a part's death; and the start after each."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from dbgate_broker.dev.children import started_at
from tests.integration.dev.running import Dev, until

Start = Callable[..., Dev]


def execute(found: dict[str, Any], statement: str) -> list[Any]:
    with psycopg.connect(found["postgres"]["prod-db"], autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if started_at(pid)]


def test_a_life_of_stops_crashes_and_starts(devs: Start) -> None:
    dev = devs()
    first = dev.wait_ready()
    execute(first, "create table mine (a int)")
    pids = dev.children()
    assert len(pids) >= 4
    assert dev.end(signal.SIGINT) < 5
    assert dev.process.returncode == 0
    assert not alive(pids), dev.output()
    assert not dev.ready_file.exists()

    dev = devs()  # the same home: the same data, ports and keys
    begun = time.monotonic()
    second = dev.wait_ready()
    assert time.monotonic() - begun < 15
    assert {k: second[k] for k in ("broker", "issuer", "gateway", "postgres")} == {
        k: first[k] for k in ("broker", "issuer", "gateway", "postgres")
    }
    assert execute(second, "select count(*) from mine") == [0]
    pids = dev.children()
    dev.end(signal.SIGKILL)
    until(lambda: not alive(pids), "the kernel ends the children of a killed one", 10)

    dev = devs()
    third = dev.wait_ready()
    assert execute(third, "select count(*) from mine") == [0]
    os.kill(dev.pid("postgresql"), signal.SIGKILL)
    assert dev.process.wait(10) == 6
    assert "error: postgresql ended (signal 9)" in dev.output()
    assert not dev.ready_file.exists()

    dev = devs()
    assert execute(dev.wait_ready(), "select count(*) from mine") == [0]
    assert dev.end(signal.SIGHUP) < 5
    assert not dev.children()


def test_what_the_kernel_did_not_end_is_ended_by_the_next_start(devs: Start) -> None:
    """A child that ignores its signal, as a stopped one does."""
    dev = devs()
    dev.wait_ready()
    victim = dev.pid("openbao")
    os.kill(victim, signal.SIGSTOP)
    dev.end(signal.SIGKILL)
    assert alive([victim])
    dev = devs()
    dev.wait_ready()
    assert "openbao was left by a crash and is ended" in dev.output()
    assert not alive([victim])


def test_a_process_that_got_a_dead_childs_number_is_left_alone(
    open_folder: Path, devs: Start
) -> None:
    run = open_folder / "dev" / "run"
    run.mkdir(parents=True, exist_ok=True)
    me = os.getpid()
    (run / "broker.pid").write_text(f"{me} {started_at(me) - 1}\n")
    (run / "damaged.pid").write_text("nonsense")
    data = open_folder / "dev" / "postgresql" / "data"
    if data.exists():
        (data / "postmaster.pid").write_text(f"{me}\n{data}\n1\n1\n\n127.0.0.1\n\nready\n")
    dev = devs()
    dev.wait_ready()
    dev.end()
    assert not list(run.glob("*.pid"))


def test_a_stop_while_it_starts_leaves_nothing(devs: Start) -> None:
    dev = devs()
    until(lambda: bool(dev.children()), "the first child")
    assert dev.end() < 8
    assert not dev.children()
    assert not list((dev.home / "run").glob("*.pid"))


def test_a_broker_that_cannot_start_is_an_error_with_its_log(devs: Start) -> None:
    dev = devs(broker="/nonexistent.py")
    assert dev.process.wait(30) == 6
    assert "error: broker ended (exit code 2)" in dev.output()
    assert "can't open file" in dev.output(), "the end of its log is shown"
    assert not dev.children()
    assert not dev.ready_file.exists()
