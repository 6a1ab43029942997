"""Texts that take long to judge: judged or refused within a bound, and nobody else waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.tunnel import Tunnel, tunnel

pytestmark = pytest.mark.e2e

NUMBERS = ",".join(str(number) for number in range(100_000))
LONG = {
    "a list": f"select id from users where id in ({NUMBERS})",
    "a list and a computed column": f"select lower(email) from users where id in ({NUMBERS})",
    "rows": "select count(*) from (values " + ",".join(f"({n},'x')" for n in range(70_000)) + ") v",
    "a megabyte": "select length('" + "x" * 1_000_000 + "')",
    "a copy": f"copy (select lower(email) from users where id in ({NUMBERS})) to stdout",
    "conditions": "select id from users where " + " or ".join(f"id = {n}" for n in range(2_300)),
}
REFUSED = {
    "over a megabyte": "select '" + "x" * (1 << 20) + "'",
    "a chain": "select " + "1 + " * 50_000 + "1",
    "nesting": "select " + "(" * 40_000 + "1" + ")" * 40_000,
    "comments in comments": "select 1 " + "/*" * 100_000 + "*/" * 100_000,
    "WITH queries": "with " + ",".join(f"c{n} as (select 1)" for n in range(20_000)) + " select 1",
    "statements": "select 1;" * 50_000,
}
JUDGED_S = 30.0
SHARE = 0.34
"""Of the time that the long text takes, others may wait this much for one statement of theirs."""
LEAST_S = 0.1
"""What a busy machine makes anybody wait."""


@pytest.fixture(scope="module")
def opened(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "prod-db") as it:
        yield it


def _waits(dsn: str, until: threading.Thread) -> list[float]:
    """How long each of many short statements took, while the thread lives."""
    took = []
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("select 1")
        until.start()
        while until.is_alive():
            begun = time.perf_counter()
            other.execute("select 1")
            took.append(time.perf_counter() - begun)
    return took


@pytest.mark.parametrize("name", LONG)
def test_others_do_not_wait_while_a_long_text_is_judged(opened: Tunnel, name: str) -> None:
    lasted = []
    with psycopg.connect(opened.dsn, autocommit=True) as connection:

        def ask() -> None:
            begun = time.perf_counter()
            with connection.cursor() as cursor:
                if LONG[name].startswith("copy"):
                    with cursor.copy(LONG[name].encode()) as rows:
                        list(rows)
                else:
                    cursor.execute(LONG[name].encode())
            lasted.append(time.perf_counter() - begun)

        took = _waits(opened.dsn, threading.Thread(target=ask))
    assert lasted, "the long text was refused"
    assert lasted[0] < JUDGED_S
    assert max(took) < max(LEAST_S, lasted[0] * SHARE), (max(took), lasted)


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_take_too_long_is_refused_and_says_why(opened: Tunnel, name: str) -> None:
    begun = time.perf_counter()
    with psycopg.connect(opened.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(REFUSED[name].encode())
        ended = connection.closed
    assert time.perf_counter() - begun < JUDGED_S
    assert caught.value.diag.message_primary
    if not ended:
        assert caught.value.sqlstate in ("54000", "42601"), caught.value


def test_a_long_text_is_masked_as_a_short_one(opened: Tunnel) -> None:
    with psycopg.connect(opened.dsn, autocommit=True) as connection:
        short, long = (
            connection.execute(
                f"select lower(email), email from users where id in ({ids}) order by id".encode()
            ).fetchall()
            for ids in ("1,2,3", ",".join(["1,2,3", *(str(n) for n in range(-9_000, 0))]))
        )
    assert short == long


def test_a_long_text_that_policy_refuses_is_refused(opened: Tunnel) -> None:
    listed = ",".join(str(number) for number in range(10_000))
    with psycopg.connect(opened.dsn, autocommit=True) as connection:
        for _ in range(2):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="dbgate"):
                connection.execute(f"delete from users where id in ({listed})".encode())
        assert connection.execute("select 1").fetchone() == (1,)
