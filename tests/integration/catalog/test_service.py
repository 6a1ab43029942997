"""The catalog of a real server: classes, views, types, keeping and forgetting."""

from __future__ import annotations

import asyncio
import time

import msgspec
import psycopg
import pytest

from dbgate_broker.catalog import CatalogService
from dbgate_broker.config import DatabaseConfig
from dbgate_core.catalog import Catalog, RelationKind
from dbgate_core.errors import AuditUnavailable, Unreachable
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.plan import protected
from dbgate_core.secret import Secret
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action
from tests.integration.catalog.test_leaks import Login, database


def read(dsn: str) -> Catalog:
    return asyncio.run(CatalogService().get(*database(dsn)))


def classes(catalog: Catalog, relation: str) -> dict[str, str]:
    found = catalog.find("", relation)
    assert found is not None
    return {c.name: "+".join(sorted(c.classes)) for c in found.columns if c.classes}


def test_columns_are_classed_with_no_configuration(postgres: str) -> None:
    catalog = read(postgres)
    assert classes(catalog, "users") == {
        "email": "email", "phone": "phone", "mobile": "phone", "first_name": "person_name",
        "last_name": "person_name", "street_address": "address", "birth_date": "birth_date",
        "ssn": "national_id", "card_number": "card_number", "iban": "iban", "password_hash": "secret",
        "api_key": "token", "last_ip": "ip_address", "billing_address": "address", "emails": "email",
        "mobile_numbers": "phone", "work_mail": "email", "work_mails": "email", "avatar_token": "token",
    }  # fmt: skip
    assert classes(catalog, "products") == classes(catalog, "orders") == {}


def test_views_inherit_by_lineage(postgres: str) -> None:
    catalog = read(postgres)
    assert classes(catalog, "contacts") == {"handle": "email", "loud": "email"}
    assert classes(catalog, "contacts_again") == {
        "handle": "email",
        "loud": "email",
        "size": "email",
    }
    assert classes(catalog, "counts") == {}
    assert classes(catalog, "kept") == {"code": "national_id"}
    assert classes(catalog, "everyone") == {"x": "email"}
    contacts = catalog.find("public", "contacts")
    assert contacts is not None
    assert [column.derived for column in contacts.columns] == [False, False, True, False]
    assert contacts.kind is RelationKind.VIEW


def test_types_resolve_to_what_is_on_the_wire(postgres: str) -> None:
    catalog = read(postgres)
    users = catalog.find("public", "users")
    assert users is not None
    types = {column.name: catalog.base_type(column.type_oid) for column in users.columns}
    assert types["work_mail"] == types["last_name"] == 25
    assert types["work_mails"] == 1009


def test_statistics_are_secrets_and_own_functions_are_known(postgres: str) -> None:
    catalog = read(postgres)
    assert "most_common_vals" in classes(catalog, "pg_stats")
    assert set(classes(catalog, "pg_authid")) == {"rolpassword"}
    assert {"all_mail", "one_mail"} <= catalog.functions
    assert "similarity" not in catalog.functions
    assert DataClass.EMAIL in catalog.classes


def test_a_picture_is_kept_until_invalid_or_old(postgres: str) -> None:
    now = [1000.0]

    async def scenario() -> None:
        service = CatalogService(max_age_s=60, clock=lambda: now[0])
        config, login = database(postgres)
        first, again = await asyncio.gather(service.get(config, login), service.get(config, login))
        assert first is again
        now[0] += 61
        old = await service.get(config, login)
        assert old is not first
        assert old.version == first.version
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("CREATE TABLE late (email text)")
        assert await service.get(config, login) is old
        service.invalidate(config.name)
        new = await service.get(config, login)
        assert new.version != old.version
        assert new.find("", "late") is not None
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP TABLE late")

    asyncio.run(scenario())


SHAPES = """
CREATE TABLE held (id int, email text DEFAULT lower('A'),
  made int GENERATED ALWAYS AS (id + 1) STORED, CHECK (length(email) > length(lower('a'))));
CREATE TABLE held_too (id int);
CREATE VIEW over_held AS SELECT id FROM held;
CREATE VIEW over_free AS SELECT 1 AS id;
CREATE FUNCTION in_held() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM held; END;
CREATE POLICY p ON held_too USING (EXISTS (SELECT FROM held));
ALTER TABLE held_too ENABLE ROW LEVEL SECURITY;
"""


OVER_HELD = (
    "select id from over_held",
    "insert into held (id) values (1)",
    "select in_held()",
    "select from held_too",
)


def not_understood(text: str, catalog: Catalog) -> bool:
    effects = analyse(text, catalog).effects
    return any(e.action is Action.UNKNOWN or e.detail.startswith("not followed") for e in effects)


def test_what_others_hold_locked_is_not_understood_and_ends_nothing(postgres: str) -> None:
    now = [1000.0]

    async def scenario(holder: psycopg.Connection) -> None:
        service = CatalogService(max_age_s=60, clock=lambda: now[0])
        config, login = database(postgres)
        holder.execute("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        partial = await service.get(config, login)
        assert partial.partial
        assert classes(partial, "over_free") == {}
        assert classes(partial, "over_held")["id"]
        assert classes(partial, "held") == {"email": "email", "made": "email"}
        assert [not_understood(text, partial) for text in OVER_HELD] == [True] * 4
        holder.execute("ROLLBACK")
        assert await service.get(config, login) is partial
        now[0] += 3
        whole = await service.get(config, login)
        assert not whole.partial
        assert classes(whole, "over_held") == {}
        assert classes(whole, "held") == {"email": "email"}
        assert [not_understood(text, whole) for text in OVER_HELD] == [False] * 4

    with psycopg.connect(postgres, autocommit=True) as holder:
        holder.execute(SHAPES)
        asyncio.run(scenario(holder))
        holder.execute("DROP TABLE held, held_too CASCADE; DROP VIEW over_free")


READERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'dbgate-catalog'"


def readers(dsn: str) -> list[int]:
    """The backends that the service has now."""
    with psycopg.connect(dsn) as connection:
        return [pid for (pid,) in connection.execute(READERS).fetchall()]


def test_one_connection_serves_the_readings_that_follow_closely(postgres: str) -> None:
    async def scenario() -> None:
        service = CatalogService(max_age_s=0, keep_s=60)
        config, login = database(postgres)
        await service.get(config, login)
        (first,) = readers(postgres)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("CREATE TABLE since (email text)")
        assert (await service.get(config, login)).find("", "since") is not None
        assert readers(postgres) == [first]
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP TABLE since")
            connection.execute("SELECT pg_terminate_backend(%s, 9000)", [first])
        assert (await service.get(config, login)).find("", "since") is None
        (second,) = readers(postgres)
        assert second != first
        service.close()
        await gone(postgres)

    asyncio.run(scenario())


def test_a_connection_is_kept_for_one_user_and_not_for_long(postgres: str) -> None:
    async def scenario() -> None:
        service = CatalogService(max_age_s=0, keep_s=60)
        config, login = database(postgres)
        await service.get(config, login)
        with pytest.raises(Unreachable):
            await service.get(config, Login(login.username, Secret("wrong")))
        await gone(postgres)
        brief = CatalogService(keep_s=0.01)
        await brief.get(config, login)
        await gone(postgres)

    asyncio.run(scenario())


async def gone(dsn: str) -> None:
    """Until no backend of the service is left."""
    deadline = time.monotonic() + 10
    while readers(dsn):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_no_answer_gives_no_old_picture_and_no_secret(postgres: str) -> None:
    async def scenario() -> None:
        service = CatalogService()
        config, login = database(postgres)
        await service.get(config, login)
        service.invalidate(config.name)
        wrong = Login(login.username, Secret("wrong-zqsecret"))
        for broken, user in ((config, wrong), (msgspec.structs.replace(config, port=1), login)):
            started = time.monotonic()
            with pytest.raises(Unreachable) as caught:
                await service.get(broken, user)
            assert time.monotonic() - started < 10
            assert "zqsecret" not in str(caught.value)
        await service.get(config, login)

    asyncio.run(scenario())


def test_each_reading_is_announced_and_none_happens_unannounced(postgres: str) -> None:
    told: list[str] = []

    def announce(config: DatabaseConfig, login: object) -> None:
        if told:
            raise AuditUnavailable("the audit log cannot be written")
        told.append(config.name)

    async def scenario() -> None:
        service = CatalogService(announce=announce)
        config, login = database(postgres)
        first = await service.get(config, login)
        assert await service.get(config, login) is first
        assert told == [config.name]
        service.invalidate(config.name)
        with pytest.raises(AuditUnavailable):
            await service.get(config, login)

    asyncio.run(scenario())


def test_what_is_not_analysed_counts_as_protected(postgres: str) -> None:
    catalog = read(postgres)
    assert protected(None, catalog)
    assert not protected(None, Catalog([]))
