"""Developer mode as its users see it: what it gives, what it closes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import psycopg
import pytest
from hvac.exceptions import Forbidden  # type: ignore[import-untyped]
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.integration.dev.running import Dev, until

IDENTITIES = {"alice", "bob", "carol", "dave", "ci", "copilot"}
EPHEMERAL = "select rolname from pg_roles where rolname like 'v-%'"


def ready(dev: Dev) -> dict[str, Any]:
    return dict(json.loads(dev.ready_file.read_bytes()))


def superuser(dev: Dev, query: str, database: str = "prod-db") -> list[Any]:
    with psycopg.connect(ready(dev)["postgres"][database]) as connection:
        return [row[0] for row in connection.execute(query.encode()).fetchall()]


def broker_vault(dev: Dev) -> Any:
    """A Vault client as the broker's AppRole."""
    config = dev.configuration()["vault"]
    client = hvac.Client(config["address"])
    secret_id = Path(config["secret_id_file"]).read_text().strip()
    client.auth.approle.login(config["role_id"], secret_id)
    return client


def test_the_ready_file_says_where_everything_is(dev: Dev) -> None:
    found = ready(dev)
    assert found["databases"] == ["prod-db", "dev-db"]
    assert set(found["identities"]) == IDENTITIES
    assert set(found["postgres"]) == {"prod-db", "dev-db"}
    assert found["broker"].startswith("https://127.0.0.1:")
    assert found["gateway"].startswith("127.0.0.1:")
    for identity in found["identities"].values():
        assert Path(identity["id_token_file"]).read_text().count(".") == 2


def test_every_secret_is_its_owners_alone(dev: Dev) -> None:
    closed = [dev.ready_file, *(dev.home / "secrets").iterdir()]
    closed += [*(dev.home / "identities").iterdir(), *(dev.home / "ca").glob("*.key")]
    closed += [dev.home / "broker.toml"]
    assert len(closed) > 14
    for file in closed:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for name in ("secrets", "identities", "log", "openbao", "ca"):
        assert stat.S_IMODE((dev.home / name).stat().st_mode) == 0o700
    assert dev.home.stat().st_mode & 0o066 == 0


def test_no_secret_is_printed_logged_or_on_a_command_line(dev: Dev) -> None:
    secrets = [
        file.read_text().strip()
        for file in (dev.home / "secrets").iterdir()
        if file.name not in ("openbao-seal", "masking-key", "issuer-key")
    ]
    assert len(secrets) >= 4
    seen = dev.output() + "".join(
        file.read_text(errors="replace") for file in (dev.home / "log").iterdir()
    )
    for pid in dev.children():
        seen += Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
    assert not [secret for secret in secrets if secret in seen]


def test_postgresql_lets_in_only_over_verified_tls(dev: Dev) -> None:
    dsn = ready(dev)["postgres"]["prod-db"]
    if conninfo_to_dict(dsn)["sslmode"] == "disable":
        pytest.skip("this machine's PostgreSQL cannot do TLS")
    with psycopg.connect(make_conninfo(dsn, channel_binding="require")) as connection:
        assert connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(make_conninfo(dsn, sslmode="disable", sslrootcert=""))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(dsn, password="wrong"))


def test_everything_listens_on_loopback_alone(dev: Dev) -> None:
    ports = set(json.loads((dev.home / "ports.json").read_bytes()).values())
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, _, port = address.partition(":")
            if state == "0A" and int(port, 16) in ports:
                listening.append(host)
    assert len(listening) >= 5
    assert set(listening) == {"0100007F"}


def test_the_shop_is_there_in_both_databases(dev: Dev) -> None:
    for database in ("prod-db", "dev-db"):
        assert superuser(dev, "select count(*) from customers", database) == [500]
        assert superuser(dev, "select count(*) from orders", database) == [5000]
        assert superuser(dev, "select id from orders order by id limit 3", database) == [1, 2, 3]
    clear = superuser(dev, "select email from customers order by id")
    assert clear != superuser(dev, "select email from customers order by id", "dev-db")


MAY = {
    ("prod-db", "readonly"): {"select"},
    ("prod-db", "readwrite"): {"select", "update", "temporary"},
    ("prod-db", "admin"): {"select", "update", "temporary", "create", "alter"},
    ("dev-db", "readonly"): {"select", "temporary"},
    ("dev-db", "readwrite"): {"select", "update", "temporary", "create"},
    ("dev-db", "admin"): {"select", "update", "temporary", "create", "alter"},
}
TRIES = {
    "select": "select count(*) from customers",
    "update": "update orders set status = status where id = 1",
    "temporary": "create temp table scratch (a int)",
    "create": "create table kept_{role} (a int)",
    "alter": "alter table orders alter column status set statistics 100",
}


@pytest.mark.parametrize(("database", "role"), MAY)
def test_a_lease_gives_what_its_access_role_may_and_ends_whole(
    dev: Dev, database: str, role: str
) -> None:
    vault = broker_vault(dev)
    lease = vault.secrets.database.generate_credentials(f"{database}-{role}")
    user = lease["data"]["username"]
    assert user.startswith("v-")
    dsn = make_conninfo(ready(dev)["postgres"][database], user=user, password=lease["data"]["password"])  # fmt: skip
    with psycopg.connect(dsn, autocommit=True) as connection:
        done = set()
        for name, statement in TRIES.items():
            try:
                connection.execute(statement.format(role=role).encode())
                done.add(name)
            except psycopg.errors.InsufficientPrivilege:
                pass
        assert done == MAY[database, role]
        vault.adapter.put(
            "/v1/sys/leases/revoke", json={"lease_id": lease["lease_id"], "sync": True}
        )
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    assert user not in superuser(dev, EPHEMERAL)
    if "create" in MAY[database, role]:
        owner = "dbgate_prod_db_admin" if database == "prod-db" else "dbgate_dev_db_admin"
        query = f"select tableowner from pg_tables where tablename = 'kept_{role}'"
        assert superuser(dev, query, database) == [owner], "what it made is handed over"


@pytest.mark.parametrize(
    "forbidden",
    ["sys/mounts", "sys/policies/acl/dbgate", "database/config/prod-db", "sys/auth",
     "database/roles/prod-db-admin", "auth/approle/role/dbgate", "sys/leases/lookup/database/creds/"],
)  # fmt: skip
def test_the_brokers_approle_may_nothing_else(dev: Dev, forbidden: str) -> None:
    vault = broker_vault(dev)
    for ask in (vault.read, vault.list):
        with pytest.raises(Forbidden):
            ask(forbidden)


def test_its_token_is_periodic_and_no_root(dev: Dev) -> None:
    token = broker_vault(dev).auth.token.lookup_self()["data"]
    assert token["period"] == 3600
    assert set(token["policies"]) == {"default", "dbgate"}


def test_the_ready_files_vault_token_is_an_administrators(dev: Dev) -> None:
    found = ready(dev)["vault"]
    client = hvac.Client(found["addr"], token=Path(found["token_file"]).read_text().strip())
    assert client.list("database/roles")["data"]["keys"]
    assert "root" not in client.auth.token.lookup_self()["data"]["policies"]


def test_a_second_one_is_refused_at_once(dev: Dev) -> None:
    before = dev.ready_file.read_bytes()
    second = Dev(dev.home.parent)
    assert second.process.wait(10) == 2
    assert f"already runs in {dev.home} (process {dev.process.pid})" in second.output()
    assert dev.ready_file.read_bytes() == before


def test_a_killed_broker_is_back(dev: Dev) -> None:
    old = dev.pid("broker")
    os.kill(old, signal.SIGKILL)
    until(lambda: dev.pid("broker") != old, "another broker", 10)
    assert dev.process.poll() is None
    assert "the broker ended (signal 9) and is started again" in dev.output()
