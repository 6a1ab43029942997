"""Bad input and faults: a clear message, the documented code, nothing left behind, nothing hanging."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.demo.stage import BIN, Stage
from tests.e2e.commands import (
    LIMIT_S,
    ROLES,
    close_session,
    dbgate,
    open_session,
    token_of,
    wait_for,
)
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(stage: Stage) -> Iterator[tuple[str, str]]:
    header, payload, signature = token_of(stage, "alice").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    yield "alg none", f"{b64({'alg': 'none'})}.{payload}."
    yield "altered claims", f"{header}.{b64(claims | {'preferred_username': 'bob'})}.{signature}"
    yield "expired", f"{header}.{b64(claims | {'exp': 1})}.{signature}"
    yield "another audience", f"{header}.{b64(claims | {'aud': 'other'})}.{signature}"
    yield "no token at all", "not-a-token"
    yield "HS256", f"{b64({'alg': 'HS256'})}.{payload}.{signature}"


def test_a_token_that_does_not_verify_is_refused(stage: Stage) -> None:
    for name, token in forged(stage):
        done = dbgate(stage, "connect", "prod-db", "--", "-c", "select 1", DBGATE_ID_TOKEN=token)
        assert done.returncode == 3, (name, done.stderr)
        assert "error:" in done.stderr
        assert "hint:" in done.stderr
        assert token not in done.stdout + done.stderr


def test_an_unknown_database_is_said_to_be_unknown(stage: Stage) -> None:
    done = dbgate(stage, "connect", "no-such-db", "--", "-c", "select 1")
    assert done.returncode == 2
    assert "no-such-db" in done.stderr
    assert "dbgate databases" in done.stderr


def test_somebody_without_rights_is_denied(stage: Stage) -> None:
    done = dbgate(stage, "connect", "prod-db", "--", "-c", "select 1", person="dave")
    assert done.returncode == 4, done.stderr
    assert "hint:" in done.stderr


def test_write_access_without_approval_ends_with_5(stage: Stage) -> None:
    done = dbgate(stage, "connect", "prod-db", "--role", "readwrite", "--", "-c", "select 1")
    assert done.returncode == 5, done.stderr
    assert "request-approval" in done.stderr


def test_nobody_approves_his_own_request(stage: Stage) -> None:
    asked = dbgate(
        stage, "request-approval", "prod-db", "--role", "readwrite", "--reason", "x", "--json",
        person="bob",
    )  # fmt: skip
    request = json.loads(asked.stdout)["id"]
    done = dbgate(stage, "approve", request, person="bob")
    assert done.returncode == 4, done.stderr


def test_an_agent_approves_nothing_and_writes_nothing(stage: Stage) -> None:
    asked = dbgate(
        stage, "request-approval", "prod-db", "--role", "readwrite", "--reason", "x", "--json"
    )
    request = json.loads(asked.stdout)["id"]
    assert dbgate(stage, "approve", request, person="copilot").returncode in (2, 4)
    shown = dbgate(stage, "requests", "show", request, "--json")
    assert json.loads(shown.stdout)["state"] == "pending"
    done = dbgate(
        stage, "connect", "dev-db", "--role", "readwrite", "--", "-c", "select 1", person="copilot"
    )
    assert done.returncode in (4, 5), done.stderr


class Raw:
    """A connection to the gateway by hand, below the CLI."""

    def __init__(self, stage: Stage, opened: dict[str, Any], **override: str) -> None:
        host, port = stage.ready["gateway"].rsplit(":", 1)
        context = ssl.create_default_context(cafile=stage.ready["ca_file"])
        plain = socket.create_connection((host, int(port)), timeout=LIMIT_S)
        self.socket = context.wrap_socket(plain, server_hostname=host)
        token = override.get("token", opened["tunnel_token"])
        session = override.get("session", opened["session"]["id"])
        self.socket.sendall(
            f"CONNECT prod-db:5432 HTTP/1.1\r\nHost: prod-db:5432\r\n"
            f"Proxy-Authorization: Bearer {token}\r\nDbgate-Session: {session}\r\n\r\n".encode()
        )
        self.status = self.read_until(b"\r\n").decode()

    def read_until(self, mark: bytes) -> bytes:
        data = b""
        while mark not in data:
            chunk = self.socket.recv(4096)
            if not chunk:
                break
            data += chunk
        return data

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()


def test_a_tunnel_token_opens_its_own_session_only_and_only_while_open(stage: Stage) -> None:
    first, second = open_session(stage), open_session(stage)
    with Raw(stage, first) as raw:
        assert " 200 " in raw.status
    with Raw(stage, first, session=second["session"]["id"]) as raw:
        assert " 200 " not in raw.status
    with Raw(stage, first, token="x" * 40) as raw:
        assert " 200 " not in raw.status
    for opened in (first, second):
        close_session(stage, opened["session"]["id"])
    with Raw(stage, first) as raw:
        assert " 200 " not in raw.status


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!II", 8, 0x7FFFFFFF),
        struct.pack("!II", 0xFFFFFFFF, 196608),
        struct.pack("!II", 3, 196608),
        b"\0" * 64,
        os.urandom(512),
        struct.pack("!II", 100, 196608) + b"user\0al",
    ],
    ids=["http", "unknown request", "negative length", "short", "zeros", "random", "half"],
)
def test_garbage_from_a_client_ends_that_connection_alone(stage: Stage, garbage: bytes) -> None:
    opened = open_session(stage)
    with Raw(stage, opened) as raw:
        assert " 200 " in raw.status
        raw.socket.sendall(garbage)
        if garbage.endswith(b"al"):
            raw.socket.unwrap  # noqa: B018 - a half message: the client goes away in its middle
        else:
            raw.socket.settimeout(LIMIT_S + 5)
            while raw.socket.recv(65536):
                pass
    with tunnel(stage, "alice", "prod-db") as good:
        assert good.psql("select 1").stdout == "1\n"
    close_session(stage, opened["session"]["id"])


def test_an_oversized_statement_ends_its_connection_alone(stage: Stage) -> None:
    with tunnel(stage, "alice", "prod-db") as opened, psycopg.connect(opened.dsn) as other:
        with psycopg.connect(opened.dsn) as connection:
            with pytest.raises(psycopg.OperationalError) as refused:
                connection.execute(f"select '{'x' * (2 << 20)}'".encode())
            assert refused.value.sqlstate in ("54000", None)
            assert "bytes" in str(refused.value)
        assert other.execute("select 1").fetchone() == (1,)


def test_half_a_message_runs_nothing(stage: Stage) -> None:
    marker = "half-a-message-64213"
    with tunnel(stage, "alice", "prod-db") as opened:
        connection = psycopg.connect(opened.dsn)
        whole = f"select '{marker}'\0".encode()
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.sendall(struct.pack("!cI", b"Q", len(whole) + 4) + whole[:-1])
            wire.shutdown(socket.SHUT_RDWR)  # before libpq's Terminate could complete it
        connection.close()
        assert opened.psql("select 1").stdout == "1\n"
    found = dbgate(stage, "audit", "search", "--text", marker, "--json", person="carol")
    assert found.returncode == 0, found.stderr
    assert marker not in found.stdout


def test_a_client_gone_in_mid_query_leaves_no_running_statement(stage: Stage) -> None:
    busy = "select count(*) from pg_stat_activity where query like '%987654321%' and state = 'active' and pid <> pg_backend_pid()"
    with tunnel(stage, "alice", "prod-db") as opened:
        process = subprocess.Popen(
            ["psql", "-Xqc", "select count(*) from generate_series(1, 987654321987)"],
            env=opened.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: stage.superuser("prod-db", busy) == [1])
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: stage.superuser("prod-db", busy) == [0])


def test_postgresql_gone_in_mid_query_is_said_to_the_client(stage: Stage) -> None:
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%876543210%' and pid <> pg_backend_pid()"
    with tunnel(stage, "alice", "prod-db") as opened:
        process = subprocess.Popen(
            ["psql", "-Xqc", "select count(*) from generate_series(1, 876543210876)"],
            env=opened.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: stage.superuser("prod-db", kill) == [True])
        _, err = process.communicate(timeout=LIMIT_S)
        assert process.returncode != 0
        assert "terminating connection" in err or "08006" in err or "server" in err
        assert opened.psql("select 1").stdout == "1\n"


def test_a_killed_cli_leaves_no_database_user(stage: Stage) -> None:
    before = set(stage.superuser("prod-db", ROLES))
    with tunnel(stage, "alice", "prod-db") as opened:
        mine = set(stage.superuser("prod-db", ROLES)) - before
        assert len(mine) == 1
        opened.process.terminate()
        opened.process.wait(LIMIT_S)
        assert not set(stage.superuser("prod-db", ROLES)) & mine


def test_killing_a_session_ends_its_clients_and_its_user(stage: Stage) -> None:
    before = set(stage.superuser("prod-db", ROLES))
    with tunnel(stage, "alice", "prod-db") as opened:
        with psycopg.connect(opened.dsn) as connection:
            done = dbgate(
                stage,
                "sessions",
                "kill",
                str(opened.event["session"]),
                "--reason",
                "test",
                person="bob",
            )
            assert done.returncode == 0, done.stderr
            with pytest.raises(psycopg.OperationalError) as ended:
                connection.execute("select 1")
            assert ended.value.sqlstate in ("57P01", None)
        assert set(stage.superuser("prod-db", ROLES)) <= before


def test_a_second_dev_on_the_same_home_is_refused(stage: Stage) -> None:
    done = subprocess.run(
        [str(BIN / "dbgate"), "dev", "--home", str(stage.home / "dev")],
        env=stage.environment("alice"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "already" in done.stderr


def test_changed_removed_and_truncated_logs_are_noticed(stage: Stage, tmp_path: Path) -> None:
    key = json.loads(dbgate(stage, "audit", "verify", "--json", person="carol").stdout)
    assert key["entries"] > 0
    log = next(p for p in (stage.home / "dev").rglob("audit") if p.is_dir())
    vkey = Path(tmp_path / "key")
    vkey.write_text(discovery(stage)["audit_public_key"])
    for name, damage in DAMAGES.items():
        copy = tmp_path / name
        shutil.copytree(log, copy)
        damage(copy)
        done = dbgate(stage, "audit", "verify", "--log", str(copy), "--key", str(vkey))
        assert done.returncode == 7, (name, done.stdout, done.stderr)


def discovery(stage: Stage) -> dict[str, Any]:
    import urllib.request

    context = ssl.create_default_context(cafile=stage.ready["ca_file"])
    with urllib.request.urlopen(  # noqa: S310
        f"{stage.ready['broker']}/v1/discovery", context=context, timeout=LIMIT_S
    ) as answer:
        return dict(json.loads(answer.read()))


def segment(folder: Path) -> Path:
    return max(
        (p for p in folder.rglob("*") if p.is_file() and p.read_bytes()[:1] == b"{"),
        key=lambda p: p.stat().st_size,
    )


def change(folder: Path) -> None:
    file = segment(folder)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def remove(folder: Path) -> None:
    file = segment(folder)
    lines = file.read_bytes().splitlines(keepends=True)
    del lines[len(lines) // 2]
    file.write_bytes(b"".join(lines))


def truncate(folder: Path) -> None:
    file = segment(folder)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]))


DAMAGES = {"changed": change, "removed": remove, "truncated": truncate}
