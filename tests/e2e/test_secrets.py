"""Secrets that are known to the test stand in no log, entry, state, output, argv or environment."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import hvac  # type: ignore[import-untyped]  # it ships no types
import psycopg
import pytest

from dbgate_cli.token_store import Login
from tests.demo.stage import Stage
from tests.e2e.commands import (
    call,
    close_session,
    dbgate,
    frozen,
    open_session,
    pid_of,
    token_of,
)
from tests.e2e.test_operations import get
from tests.e2e.tunnel import tunnel

pytestmark = pytest.mark.e2e
EPHEMERAL = re.compile(rb"-?(?:[QXJZ]-?){20,25}")
"""What the password policy below makes: so that passwords which nobody ever sees are found."""
POLICY = """\
length = 25
rule "charset" { charset = "QXJZ" min-chars = 24 }
rule "charset" { charset = "-" min-chars = 1 }
"""
MIN_SECRET_BYTES = 16


@contextmanager
def recognisable_passwords(stage: Stage) -> Iterator[None]:
    """Database passwords of letters that stand together nowhere else."""
    vault = stage.ready["vault"]
    client = hvac.Client(url=vault["addr"], token=Path(vault["token_file"]).read_text().strip())
    config = "/v1/database/config/prod-db"
    client.adapter.put("/v1/sys/policies/password/marker", json={"policy": POLICY})

    def use(policy: str) -> None:
        plugin = {"plugin_name": "postgresql-database-plugin", "verify_connection": False}
        client.adapter.post(config, json=plugin | {"password_policy": policy})

    use("marker")
    try:
        roles = client.adapter.list("/v1/database/roles")["data"]["keys"]
        role = next(name for name in roles if name.startswith("prod-db"))
        made = client.adapter.get(f"/v1/database/creds/{role}")
        client.adapter.put(
            "/v1/sys/leases/revoke", json={"lease_id": made["lease_id"], "sync": True}
        )
        assert EPHEMERAL.fullmatch(made["data"]["password"].encode())
        yield
    finally:
        use("")


def forms(secret: bytes) -> Iterator[bytes]:
    """A secret as it is, and as programs write bytes."""
    yield secret
    yield secret.hex().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")


def kept_secrets(stage: Stage) -> dict[str, bytes]:
    """What developer mode keeps: passwords, keys, the AppRole's secret id, tokens."""
    dev = stage.home / "dev"
    found = {}
    for file in [*(dev / "secrets").rglob("*"), *(dev / "identities").rglob("*")]:
        if file.is_file():
            data = file.read_bytes().strip()
            found[file.name] = data.split(b"\n")[1] if data.startswith(b"-----BEGIN") else data
    return found


def signed_in(stage: Stage, person: str) -> Login:
    """A login through the browser's flow, whose refresh token we may read."""
    done = stage.run(person, ["dbgate", "login", "--as", person, "--store", "file"], quiet=True)
    assert done is not None
    for file in (stage.home / f"cli-{person}").rglob("*"):
        if file.is_file() and file.read_bytes().startswith(b"["):
            return Login.parse(file.read_text())
    raise AssertionError("no stored login")


def descendants(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    with contextlib.suppress(OSError):  # it has ended meanwhile, as backends do
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += descendants(int(child))
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_lines() -> bytes:
    """What `ps` shows to everybody."""
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                lines.append((folder / "cmdline").read_bytes())
            except OSError:
                continue
    return b"\n".join(lines)


def environments(lasting: list[int], others: list[int]) -> bytes:
    """Those of processes that must be there, and of others that may end at any moment."""
    read = [Path(f"/proc/{pid}/environ").read_bytes() for pid in lasting]
    for pid in others:
        with contextlib.suppress(OSError):
            read.append(Path(f"/proc/{pid}/environ").read_bytes())
    return b"\n".join(read)


def written(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """All that developer mode writes, but for the files whose purpose is to hold a secret."""
    dev = stage.home / "dev"
    elsewhere = dev / "postgresql.place"
    places = [dev]
    if elsewhere.exists():
        places.append(Path(elsewhere.read_text().strip()))
    for place in places:
        for file in place.rglob("*"):
            kept = file.is_relative_to(dev) and file.relative_to(dev).parts[0]
            if file.is_file() and kept not in ("secrets", "identities", "ca"):
                yield str(file), file.read_bytes()
    yield "output of dbgate dev", stage.dev_log().encode()


def story(stage: Stage, forged: str) -> bytes:
    """A day with errors in it; all that the command line said."""
    said = []

    def run(*args: str, person: str = "alice", **env: str) -> None:
        done = dbgate(stage, *args, person=person, **env)
        said.append(done.stdout + done.stderr)

    run("connect", "prod-db", "--", "-c", "select 1", DBGATE_ID_TOKEN=forged)
    run("--debug", "connect", "prod-db", "--", "-c", "select 1", DBGATE_ID_TOKEN=forged)
    run("connect", "prod-db", "--", "-c", "drop table customers")
    run("query", "prod-db", "select 1/0")
    run("query", "prod-db", "selec")
    run("--debug", "query", "prod-db", "select email from customers limit 2")
    run("query", "prod-db", "select pg_sleep(0), current_setting('password_encryption')")
    run("connect", "prod-db", "--role", "readwrite", "--", "-c", "select 1")
    run("exec", "prod-db", "--", sys.executable, "-c", "import os; os.environ['PGPASSWORD']")
    run("doctor")
    run("whoami", "--json")
    run("sessions", "list", "--all", "--json")
    run("audit", "search", "--json", person="carol")
    with frozen(stage, "openbao"):
        run("--debug", "query", "prod-db", "select 1")
    return "".join(said).encode()


def test_no_secret_is_shown_anywhere(stage: Stage) -> None:
    logins = [signed_in(stage, person) for person in ("alice", "bob")]
    secrets = kept_secrets(stage)
    for login in logins:
        secrets[f"an ID token of {login.issuer}"] = login.id_token.expose().encode()
        assert login.refresh_token is not None
        secrets["a refresh token"] = login.refresh_token.expose().encode()
    forged = token_of(stage, "alice")[:-8] + "AAAAAAAA"
    secrets["a forged token"] = forged.encode()
    with recognisable_passwords(stage):
        opened = open_session(stage)
        secrets["a tunnel token"] = opened["tunnel_token"].encode()
        secrets["a one-time password"] = opened["password"].encode()
        with tunnel(stage, "alice", "prod-db") as live, psycopg.connect(live.dsn) as connection:
            secrets["another one-time password"] = (urlsplit(live.dsn).password or "").encode()
            connection.execute("select 1")
            wrong = live.dsn.replace(urlsplit(live.dsn).password or "", "not-the-password")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(wrong)
            said = story(stage, forged)
            token = secrets["metrics-token"].decode()
            said += get(stage, "/metrics", token)[1] + get(stage, "/metrics", forged)[1]
            shown = command_lines()
            broker = pid_of(stage, "broker")
            dev = parent(broker)
            inherited = environments([live.process.pid, broker, dev], descendants(dev))
            call(stage, "GET", f"/v1/sessions/{live.event['session']}")
        close_session(stage, opened["session"]["id"])
    names = [name for name, secret in secrets.items() if len(secret) >= MIN_SECRET_BYTES]
    assert {
        "openbao-secret-id",
        "masking-key",
        "metrics-token",
        "postgresql-superuser",
        "alice.jwt",
    } <= set(names)
    for place, data in [
        ("output", said), ("ps", shown), ("environment", inherited), *written(stage),
    ]:  # fmt: skip
        assert not EPHEMERAL.search(data), f"an ephemeral password in {place}"
        for name in names:
            for form in forms(secrets[name]):
                assert form not in data, f"{name} in {place}"


def test_the_search_finds_what_it_looks_for(stage: Stage) -> None:
    """The check above can fail: a password of the policy is one, and the log holds statements."""
    assert EPHEMERAL.search(b"alter role x password 'QXJZ-QQXXJJZZQXJZQXJZQXJZ'")
    assert dbgate(stage, "query", "prod-db", "select 'a-marker-53117'").returncode == 0
    assert any(b"a-marker-53117" in data for _, data in written(stage))
    assert json.loads(dbgate(stage, "whoami", "--json").stdout)["name"] == "alice"
