"""query: its own small PostgreSQL client, against a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.cli.conftest import World
from tests.integration.cli.fake_gateway import FakeGateway
from tests.integration.cli.server import Server


def query(world: World, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return world.run("query", "prod-db", *args, stdin=stdin)


def test_rows_as_a_table(world: World, gateway: FakeGateway) -> None:
    done = query(world, "select id, name from t order by id")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "id  name\n1   n1\n2   n2\n3   n3\n"
    assert "3 rows" in done.stderr
    assert not world.broker.open_sessions()


def test_rows_as_json_keep_their_types(world: World, gateway: FakeGateway) -> None:
    text = (
        "select 1 a, 2.50::numeric b, 1.5::float8 c, true d, null::int e, 'x'::text f,"
        " '{\"k\": [1]}'::jsonb g, 'NaN'::float8 h, 9007199254740993 i, 7 a"
    )
    done = query(world, text, "--json")
    assert json.loads(done.stdout) == {
        "a": 1, "b": "2.50", "c": 1.5, "d": True, "e": None, "f": "x",
        "g": {"k": [1]}, "h": "NaN", "i": 9007199254740993, "a_2": 7,
    }  # fmt: skip


def test_rows_as_csv_part_null_from_empty(world: World, gateway: FakeGateway) -> None:
    done = query(world, "select null n, '' e, 'a,b' c, 'say \"x\"' q", "--format", "csv")
    assert done.stdout == 'n,e,c,q\n,"","a,b","say ""x"""\n'


def test_several_statements_and_copy(world: World, gateway: FakeGateway) -> None:
    done = query(world, "select 1 a; select 2 b", "--format", "csv")
    assert done.stdout == "a\n1\n\nb\n2\n"
    done = query(world, "copy t to stdout")
    assert done.stdout == "1\tn1\n2\tn2\n3\tn3\n"


def test_the_statement_comes_from_standard_input_or_a_file(
    world: World, gateway: FakeGateway, tmp_path: Path
) -> None:
    assert query(world, "-", "--json", stdin="select 5 as n").stdout == '{"n": 5}\n'
    file = tmp_path / "x.sql"
    file.write_text("select 6 as n")
    assert query(world, "--file", str(file), "--json").stdout == '{"n": 6}\n'
    assert query(world, "  ").returncode == 2


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("select * from secret", 1, "42501"),
        ("selec", 1, "42601"),
        ("select 1/0", 1, "22012"),
        ("select pg_terminate_backend(pg_backend_pid())", 6, "57P01"),
    ],
)
def test_errors_end_with_their_class_s_code(
    world: World, gateway: FakeGateway, text: str, code: int, says: str
) -> None:
    done = query(world, text)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert not world.broker.open_sessions()


def test_rows_before_an_error_are_written(world: World, gateway: FakeGateway) -> None:
    done = query(world, "select 1 a; select 1/0", "--json")
    assert done.stdout == '{"a": 1}\n'
    assert done.returncode == 1


def test_a_server_that_does_not_know_the_password_is_not_believed(
    world: World, gateway: FakeGateway
) -> None:
    world.broker.password = "another"
    done = query(world, "select 1")
    assert done.returncode == 3
    assert "28P01" in done.stderr


def test_ctrl_c_cancels(world: World, gateway: FakeGateway, postgres: Server) -> None:
    process = world.start("query", "prod-db", "select pg_sleep(61)")
    busy = "select pid from pg_stat_activity where query = 'select pg_sleep(61)'"
    deadline = time.monotonic() + 10
    while not postgres.execute(busy):
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert "57014" in err
    assert process.returncode == 1
    assert not world.broker.open_sessions()


def test_sigterm_closes_the_session(world: World, gateway: FakeGateway, postgres: Server) -> None:
    process = world.start("query", "prod-db", "select pg_sleep(62)")
    busy = "select pid from pg_stat_activity where query = 'select pg_sleep(62)'"
    deadline = time.monotonic() + 10
    while not postgres.execute(busy):
        assert time.monotonic() < deadline
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 143
    assert not world.broker.open_sessions()
    assert world.broker.sessions["s1"].close_reason == "interrupted"
