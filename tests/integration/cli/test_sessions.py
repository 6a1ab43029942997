"""connect, exec and query: a session is opened, used and always closed; nothing secret leaks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dbgate_core.contract import OpenSession
from tests.integration.cli.conftest import PASSWORD, World
from tests.integration.cli.fake_gateway import FakeGateway
from tests.integration.cli.server import Server

needs_psql = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")

BUSY = "select pid from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"


def wait_for(holds: Callable[[], object], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return dict(json.loads(line))


@needs_psql
def test_connect_runs_psql_and_closes_the_session(world: World, gateway: FakeGateway) -> None:
    done = world.run("connect", "prod-db", "--", "-XAtc", "select name from t order by id")
    assert (done.returncode, done.stdout) == (0, "n1\nn2\nn3\n"), done.stderr
    assert world.broker.sessions["s1"].state == "closed"
    assert world.broker.sessions["s1"].close_reason == "finished"


@needs_psql
def test_connect_passes_on_the_code_of_psql(world: World, gateway: FakeGateway) -> None:
    assert world.run("connect", "prod-db", "--", "-Xc", "selec").returncode == 1
    done = world.run("connect", "prod-db", "--", "-X", "-v", "ON_ERROR_STOP=1", "-f", "/dev/null")
    assert done.returncode == 0
    assert not world.broker.open_sessions()


def test_exec_gives_the_child_its_environment_and_takes_its_code(
    world: World, gateway: FakeGateway
) -> None:
    program = (
        "import os, json, sys; json.dump({k: v for k, v in os.environ.items()"
        " if k.startswith(('PG', 'DATABASE', 'DBGATE'))}, sys.stdout); sys.exit(42)"
    )
    done = world.run(
        "exec", "prod-db", "--", sys.executable, "-c", program,
        PGSERVICE="elsewhere", PGHOSTADDR="192.0.2.1",
    )  # fmt: skip
    assert done.returncode == 42, done.stderr
    env = json.loads(done.stdout)
    assert env["PGPASSWORD"] == PASSWORD
    assert env["PGSSLMODE"] == env["PGGSSENCMODE"] == "disable"
    assert env["DATABASE_URL"].startswith("postgresql://session:")
    assert "PGSERVICE" not in env
    assert "PGHOSTADDR" not in env
    assert "DBGATE_ID_TOKEN" not in env


def test_exec_says_when_there_is_no_such_program_before_it_opens_a_session(world: World) -> None:
    done = world.run("exec", "prod-db", "--", "no-such-program")
    assert done.returncode == 2
    assert "no-such-program" in done.stderr
    assert not world.broker.sessions


def test_exec_gives_128_plus_the_signal_that_killed_the_child(
    world: World, gateway: FakeGateway
) -> None:
    program = "import os; os.kill(os.getpid(), 9)"
    assert world.run("exec", "prod-db", "--", sys.executable, "-c", program).returncode == 137


def test_sigterm_ends_a_child_that_does_not_handle_it_with_143(
    world: World, gateway: FakeGateway
) -> None:
    program = "import time; print('up', flush=True); time.sleep(30)"
    process = world.start("exec", "prod-db", "--", sys.executable, "-c", program)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 143
    assert not world.broker.open_sessions()


def test_two_connects_at_once_take_neighbouring_ports(world: World, gateway: FakeGateway) -> None:
    processes = [world.start("connect", "prod-db", "--no-client", "--json") for _ in range(2)]
    ports = sorted(int(ready(process)["port"]) for process in processes)
    assert ports[0] < ports[1] <= ports[0] + 5
    for process in processes:
        process.terminate()
        process.communicate(timeout=10)
    assert not world.broker.open_sessions()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_reaches_the_child_and_the_session_is_closed(
    world: World, gateway: FakeGateway, number: signal.Signals
) -> None:
    program = (
        "import signal, sys\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])\n"
        f"print('up', flush=True)\nsignal.sigwait([{int(number)}])\nsys.exit(7)"
    )
    process = world.start("exec", "prod-db", "--", sys.executable, "-c", program, group=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 7, err
    assert not world.broker.open_sessions()


def test_a_listener_stays_until_it_is_ended(world: World, gateway: FakeGateway) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    event = ready(process)
    assert event["event"] == "ready"
    with psycopg.connect(event["dsn"]) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (3,)
    with psycopg.connect(event["dsn"]) as first, psycopg.connect(event["dsn"]) as second:
        assert first.execute("select 1").fetchone() == second.execute("select 1").fetchone()
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    assert world.broker.sessions["s1"].state == "closed"


def test_the_port_is_stable_and_the_next_one_is_taken_when_it_is_in_use(
    world: World, gateway: FakeGateway
) -> None:
    ports = []
    for _ in range(2):
        process = world.start("connect", "prod-db", "--no-client", "--json")
        ports.append(int(ready(process)["port"]))
        process.terminate()
        process.communicate(timeout=10)
    assert ports[0] == ports[1]
    with socket.create_server(("127.0.0.1", ports[0])):
        process = world.start("connect", "prod-db", "--no-client", "--json")
        assert int(ready(process)["port"]) > ports[0]
        process.terminate()
        process.communicate(timeout=10)
        done = world.run("connect", "prod-db", "--no-client", "--port", str(ports[0]))
        assert done.returncode == 6
    assert not world.broker.open_sessions()


def test_another_user_of_the_machine_is_not_let_in(world: World, gateway: FakeGateway) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    event = ready(process)
    dsn = event["dsn"].replace(PASSWORD, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn)
    process.terminate()
    process.communicate(timeout=10)


def test_a_cancel_reaches_the_server(world: World, gateway: FakeGateway, postgres: Server) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    with psycopg.connect(ready(process)["dsn"]) as connection:

        def cancel() -> None:
            wait_for(lambda: postgres.execute(BUSY))
            connection.cancel_safe(timeout=10)

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(60)")
        canceller.join()
    process.terminate()
    process.communicate(timeout=10)


@needs_psql
def test_ctrl_c_cancels_the_statement_and_does_not_end_dbgate(
    world: World, gateway: FakeGateway, postgres: Server
) -> None:
    process = world.start(
        "connect", "prod-db", "--", "-XAtq", "-c", "select pg_sleep(60)", "-c", "insert into t values (99, 'x')",
        group=True,
    )  # fmt: skip
    wait_for(lambda: postgres.execute(BUSY))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=15)
    assert "canceling statement due to user request" in err
    assert postgres.execute("delete from t where id = 99 returning id") == [99]
    assert "dbgate: error" not in err
    assert not world.broker.open_sessions()


def test_a_killed_session_ends_the_listener_and_says_why(
    world: World, gateway: FakeGateway
) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    connection = psycopg.connect(ready(process)["dsn"])
    world.broker.end("s1", "killed by bob: laptop lost")
    gateway.cut()
    _, err = process.communicate(timeout=10)
    connection.close()
    assert process.returncode == 4
    assert "killed by bob: laptop lost" in err


def test_a_token_that_ended_leaves_the_tunnel_s_own_as_the_sign_of_life(
    world: World, gateway: FakeGateway
) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    connection = psycopg.connect(ready(process)["dsn"])
    world.broker.token = "another.token.now"
    before = gateway.connects
    gateway.cut()
    wait_for(lambda: gateway.connects > before)
    assert process.poll() is None
    connection.close()
    world.broker.token = "good.token.here"
    process.terminate()
    assert process.communicate(timeout=10)[1].count("error") == 0


def test_the_listener_ends_with_the_session_s_time(world: World, gateway: FakeGateway) -> None:
    world.broker.lifetime_s = 1.0
    process = world.start("connect", "prod-db", "--no-client", "--json")
    ready(process)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 5
    assert "end of its time" in err


def test_what_the_gateway_refuses_is_said_to_the_client(world: World, gateway: FakeGateway) -> None:
    gateway.problem = {"code": "limit", "message": "too many connections here", "exit_code": 1}
    process = world.start("connect", "prod-db", "--no-client", "--json")
    with pytest.raises(psycopg.OperationalError, match="too many connections here"):
        psycopg.connect(ready(process)["dsn"])
    process.terminate()
    process.communicate(timeout=10)


def test_a_gateway_with_another_certificate_is_not_used(
    world: World, gateway: FakeGateway, tmp_path: Path
) -> None:
    from tests.integration.cli import authority

    other = tmp_path / "other"
    other.mkdir()
    foreign = FakeGateway(authority.make(other)[1], world.broker, ("127.0.0.1", 1))
    world.broker.gateway_port = foreign.port
    done = world.run("query", "prod-db", "select 1")
    foreign.stop()
    assert done.returncode == 6
    assert "is not trusted" in done.stderr
    assert "set DBGATE_CA_FILE" in done.stderr
    assert foreign.connects == 0


def test_megabytes_pass_both_ways_unchanged(world: World, gateway: FakeGateway) -> None:
    process = world.start("connect", "prod-db", "--no-client", "--json")
    text = "x" * 8_000_000 + "end"
    with psycopg.connect(ready(process)["dsn"]) as connection:
        row = connection.execute("select %s || 'y'", [text]).fetchone()
        assert row == (text + "y",)
        with connection.cursor().copy(
            "copy (select repeat('z', 1000) from generate_series(1, 20000)) to stdout"
        ) as copy:
            assert sum(len(block) for block in copy) == 20000 * 1001
    process.terminate()
    process.communicate(timeout=10)


def test_no_secret_is_on_a_command_line_or_in_the_output(
    world: World, gateway: FakeGateway
) -> None:
    program = "print('up', flush=True); import sys; sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-m", "dbgate_cli.app", "exec", "prod-db", "--", sys.executable, "-c", program],
        env=world.env(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    out, err = process.communicate(timeout=10)
    for secret in (PASSWORD, world.broker.tunnel_token, world.broker.token):
        assert not [line for line in lines if secret.encode() in line]
        assert secret not in out + err


def test_debug_output_shows_no_secret(world: World, gateway: FakeGateway) -> None:
    gateway.problem = {"code": "internal", "message": "broken", "exit_code": 1}
    done = world.run("--debug", "query", "prod-db", "select 1")
    assert "Traceback" in done.stderr
    for secret in (PASSWORD, world.broker.tunnel_token, world.broker.token):
        assert secret not in done.stdout + done.stderr


def test_a_session_that_cannot_be_closed_does_not_hide_the_result(
    world: World, gateway: FakeGateway
) -> None:
    from dbgate_core.errors import Unreachable

    world.broker.fail = lambda method, path: (
        Unreachable("vault is sealed") if method == "DELETE" else None
    )
    done = world.run("exec", "prod-db", "--", "true")
    assert done.returncode == 0
    assert "vault is sealed" in done.stderr


def test_an_asserted_agent_and_the_client_s_name_are_told_to_the_broker(
    world: World, gateway: FakeGateway
) -> None:
    world.run("exec", "prod-db", "--agent", "copilot", "--reason", "why", "--", "true")
    asked = world.broker.bodies[0]
    assert isinstance(asked, OpenSession)
    assert (asked.agent, asked.client, asked.reason) == ("copilot", "true", "why")
