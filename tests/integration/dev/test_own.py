"""`--database NAME=DSN`: a PostgreSQL that is not developer mode's, governed by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from dbgate_broker.dev import own
from dbgate_core.errors import Denied, Unreachable
from tests.integration.credentials.servers import Postgres, postgres
from tests.integration.dev.running import Dev

DOCS = (Path(__file__).parents[3] / "docs" / "dev.md").read_text()
PASSWORD = "the-password-of-the-dsn"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        for statement in (
            f"CREATE ROLE owner LOGIN CREATEROLE PASSWORD '{PASSWORD}'",
            "GRANT pg_signal_backend TO owner WITH ADMIN OPTION",
            f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'",
            "CREATE DATABASE mill OWNER owner",
        ):
            running.query(statement)
        with psycopg.connect(dsn(running), autocommit=True) as connection:
            connection.execute('CREATE SCHEMA "odd schema"')
            connection.execute('CREATE TABLE "odd schema"."Wheat" (id int, kilos int)')
            connection.execute('INSERT INTO "odd schema"."Wheat" VALUES (1, 100)')
            connection.execute("CREATE TABLE secrets (a int)")
            connection.execute("REVOKE ALL ON secrets FROM PUBLIC")
        with psycopg.connect(running.dsn("mill"), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA foreign_land; CREATE TABLE foreign_land.t (a int)")
        yield running


def dsn(server: Postgres, user: str = "owner", **more: str) -> str:
    return make_conninfo(
        host="127.0.0.1", port=server.port, user=user, password=PASSWORD, dbname="mill", **more
    )


def test_a_user_that_may_not_create_roles_is_told_so(server: Postgres) -> None:
    with pytest.raises(Denied, match="plain may not create roles") as caught:
        own.prepare(own.target("mill", dsn(server, "plain")))
    assert "CREATEROLE" in caught.value.hint


def test_a_wrong_password_and_a_dead_server_are_said_without_the_password(
    server: Postgres,
) -> None:
    for wrong in ({"password": "wrong-" + PASSWORD}, {"port": "1"}):
        with pytest.raises(Unreachable) as caught:
            own.prepare(own.target("mill", make_conninfo(dsn(server), **wrong)))
        assert PASSWORD not in caught.value.message
        assert caught.value.__cause__ is None


def test_it_is_prepared_again_and_again_with_a_new_password(server: Postgres) -> None:
    target = own.target("mill", dsn(server))
    first, second = own.prepare(target), own.prepare(target)
    assert first.vault_password != second.vault_password
    assert (first.dbname, first.port, first.environment) == ("mill", server.port, "production")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn(server, first.roles.vault, connect_timeout="5"))
    with psycopg.connect(
        make_conninfo(dsn(server), user=second.roles.vault, password=second.vault_password.expose())
    ) as connection:
        row = connection.execute(
            "select rolsuper, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == (False, False)


def test_all_of_it_is_taken_back_as_documented(server: Postgres) -> None:
    own.prepare(own.target("shop", dsn(server)))
    documented = DOCS.partition("To take all of it back")[2].split("```")[1]
    with psycopg.connect(server.dsn("mill"), autocommit=True) as connection:
        for statement in documented.removeprefix("sql").replace(" me;", " owner;").split(";")[:-1]:
            connection.execute(statement.encode())
    assert not server.query("select rolname from pg_roles where rolname like 'dbgate_shop_%'")


@pytest.fixture(scope="module")
def governed(server: Postgres, open_folder: Path) -> Iterator[Dev]:
    running = Dev(open_folder, f"mill={dsn(server)}")
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def vault(governed: Dev) -> Any:
    """A Vault client as the broker's AppRole."""
    config = governed.configuration()["vault"]
    client = hvac.Client(config["address"])
    secret_id = Path(config["secret_id_file"]).read_text().strip()
    client.auth.approle.login(config["role_id"], secret_id)
    return client


WHEAT = '"odd schema"."Wheat"'
TRIES = {
    "select": f"select * from {WHEAT}",
    "update": f"update {WHEAT} set kilos = kilos where id = 1",
    "alter": f"alter table {WHEAT} alter kilos set statistics 10",
    "make": 'create table "odd schema".made (a int)',
    "foreign": "select * from foreign_land.t",
}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("readonly", {"select"}),
        ("readwrite", {"select", "update"}),
        ("admin", {"select", "update", "alter", "make"}),
    ],
)
def test_access_roles_do_what_they_say_and_leave_nothing(
    server: Postgres, governed: Dev, vault: Any, role: str, may: set[str]
) -> None:
    if server.query("select current_setting('server_version_num')::int >= 160000") == [(True,)]:
        may = may - {"alter"}  # only a superuser shares itself there
        assert "only a superuser's DSN can" in governed.output()
    taken = vault.secrets.database.generate_credentials(f"mill-{role}")
    user = taken["data"]["username"]
    login = make_conninfo(dsn(server), user=user, password=taken["data"]["password"])
    with psycopg.connect(login, autocommit=True) as connection:
        done = set()
        for name, statement in TRIES.items():
            try:
                connection.execute(statement.encode())
                done.add(name)
            except psycopg.errors.InsufficientPrivilege:
                pass
        assert done == may
    vault.adapter.put("/v1/sys/leases/revoke", json={"lease_id": taken["lease_id"], "sync": True})
    assert user not in server.ephemeral()


def test_what_its_owner_adds_later_is_covered(server: Postgres, vault: Any) -> None:
    with psycopg.connect(dsn(server), autocommit=True) as connection:
        connection.execute('CREATE TABLE "odd schema".later (a int)')
    taken = vault.secrets.database.generate_credentials("mill-readonly")["data"]
    login = make_conninfo(dsn(server), user=taken["username"], password=taken["password"])
    with psycopg.connect(login) as connection:
        assert connection.execute('select * from "odd schema".later').fetchall() == []


def test_the_password_is_nowhere(governed: Dev) -> None:
    assert "may not grant on foreign_land" in governed.output()
    seen = governed.output() + governed.ready_file.read_text()
    for file in governed.home.rglob("*"):
        if file.is_file() and "postgresql/" not in str(file.relative_to(governed.home)):
            seen += file.read_bytes().decode("latin-1")
    assert PASSWORD not in seen


def test_it_stands_in_the_brokers_configuration_as_production(governed: Dev) -> None:
    found = next(d for d in governed.configuration()["databases"] if d["name"] == "mill")
    assert (found["environment"], found["dbname"], found["tls"]) == (
        "production",
        "mill",
        "disable",
    )
