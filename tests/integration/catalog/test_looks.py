"""Looks at a real server: what is read, what is kept, what is told, and what a look may not do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from dbgate_broker.catalog import CatalogService
from dbgate_broker.classify.service import CLASSIFIER, Classifier
from dbgate_broker.config import DatabaseConfig
from dbgate_broker.gateway.seams import Credentials
from dbgate_broker.sessions.own import Own
from dbgate_broker.store.engine import open_store
from dbgate_broker.testing.sessions import MemoryRecorder
from dbgate_core.catalog import Catalog
from dbgate_core.errors import UsageError
from dbgate_core.principal import Principal
from dbgate_core.secret import Secret
from tests.integration.catalog.test_leaks import database

LIMIT_S = 20.0
CARDS = ("4539578763621486", "5425233430109903", "4916338506082832")
SCHEMA = f"""
drop schema if exists looked cascade;
create schema looked;
create domain looked.code as text;
create table looked.items (id int, v1 looked.code, v2 jsonb, v3 text[], order_number text, flag boolean);
insert into looked.items select n, ('{{{",".join(CARDS)}}}'::text[])[1 + n % 3],
  jsonb_build_object('mail', 'p' || n || '@example.com', 'n', n), array['a' || n || '@example.com'],
  lpad((n * 7919)::text, 16, '9'), true from generate_series(1, 90) n;
create table looked.parts (id int, v1 text) partition by range (id);
create table looked.parts_1 partition of looked.parts for values from (0) to (1000);
insert into looked.parts select n, 'q' || n || '@example.com' from generate_series(1, 90) n;
create table looked.hidden (v1 text);
insert into looked.hidden select 'h' || n || '@example.com' from generate_series(1, 9) n;
create view looked.seen as select v1 as w, v2 from looked.items;
drop role if exists sampler;
create role sampler login password 'sampler-only-here';
grant usage on schema looked to sampler;
grant select on looked.items, looked.parts to sampler;
"""


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[str]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        yield postgres
        connection.execute("drop schema looked cascade; drop owned by sampler; drop role sampler")


@dataclass
class Place:
    """A classifier over a real server and store."""

    config: DatabaseConfig
    classifier: Classifier
    catalogs: CatalogService
    log: MemoryRecorder
    dsn: str
    now: list[datetime]
    borrowed: list[Principal] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    async def look(self) -> Catalog:
        """Read the catalog, wait for the look that follows it, and read it with what was found."""
        self.catalogs.invalidate(self.config.name)
        _, login = database(self.dsn)
        await self.catalogs.get(self.config, login)
        async with asyncio.timeout(LIMIT_S):
            looks = {task for task in asyncio.all_tasks() if task.get_name() == "classify"}
            await asyncio.gather(*looks)
        self.catalogs.invalidate(self.config.name)
        return await self.catalogs.get(self.config, login)

    def entries(self, kind: str) -> list[Any]:
        return self.log.of_kind(kind)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())


@asynccontextmanager
async def place(
    dsn: str, folder: Path, user: str = "sampler", **options: Any
) -> AsyncIterator[Place]:
    config = msgspec.structs.replace(database(dsn)[0], **options)
    store = open_store(f"sqlite:///{folder / 'state.db'}")
    now = [datetime(2026, 1, 31, tzinfo=UTC)]
    log = MemoryRecorder()
    classifier = Classifier([config], store, log, lambda: now[0], rest_s=0)
    found = Place(config, classifier, CatalogService(knows=classifier), log, dsn, now)

    @asynccontextmanager
    async def borrow(
        principal: Principal, database: DatabaseConfig, reason: str, longest_s: int
    ) -> AsyncIterator[Own]:
        found.borrowed.append(principal)
        yield Own(Credentials(user, Secret("sampler-only-here")), {"db_user": user})

    classifier.start(borrow, found.changed.append)
    try:
        yield found
    finally:
        await classifier.stop()
        store.close()


def classes(catalog: Catalog, table: str) -> dict[str, set[str]]:
    relation = catalog.find("looked", table)
    assert relation is not None
    return {c.name: {one.value for one in c.classes} for c in relation.columns if c.classes}


def test_a_look_finds_what_names_do_not_say(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            catalog = await here.look()
            assert classes(catalog, "items") == {
                "v1": {"card_number"},
                "v2": {"email"},
                "v3": {"email"},
            }
            assert classes(catalog, "parts") == classes(catalog, "parts_1") == {"v1": {"email"}}
            assert classes(catalog, "seen") == {"w": {"card_number"}, "v2": {"email"}}
            assert classes(catalog, "hidden") == {}, "its user may not read it"
            assert here.borrowed == [CLASSIFIER]
            assert here.changed == ["test"]
            await here.look()
            assert len(here.borrowed) == 1, "nothing is due"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("bytea", "convert_to('p' || n || '@example.com', 'utf8')", {"v1": {"email"}}),
        ("bytea", "decode(md5(n::text), 'hex')", {}),
        ("bytea", "convert_to(repeat('é', 700) || n, 'utf8')", {}),
        (
            "xml",
            "('<o><to n=\"' || n || '\">p' || n || '@example.com</to></o>')::xml",
            {"v1": {"email"}},
        ),
        ("xml", "('<o><n>' || n || '</n></o>')::xml", {}),
    ],
)
def test_bytes_and_markup_are_looked_into(
    server: str, tmp_path: Path, kind: str, value: str, found: dict[str, set[str]]
) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            here.execute(
                f"create table looked.raw (v1 {kind}); grant select on looked.raw to sampler"
            )
            try:
                try:
                    here.execute(
                        f"insert into looked.raw select {value} from generate_series(1, 40) n"
                    )
                except psycopg.errors.FeatureNotSupported as exc:
                    pytest.skip(f"this server has no {kind}: {exc.diag.message_primary}")
                assert classes(await here.look(), "raw") == found
            finally:
                here.execute("drop table looked.raw")

    asyncio.run(scenario())


def test_no_value_leaves_the_look(server: str, tmp_path: Path) -> None:
    async def scenario() -> str:
        async with place(server, tmp_path) as here:
            await here.look()
            shown = msgspec.json.encode(await here.classifier.show("test")).decode()
            told = json.dumps(here.log.entries)
            tables = [entry["table"] for entry in here.entries("columns_sampled")]
            assert "looked.items" in tables
            assert "looked.parts" in tables
            assert "looked.parts_1" not in tables
        return shown + told

    said = asyncio.run(scenario())
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for value in (*CARDS, "p7@example", "q7@example"):
        assert value not in said
        assert value.encode() not in kept


def test_nothing_is_sampled_that_cannot_be_recorded(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            here.log.full = True
            catalog = await here.look()
            assert classes(catalog, "items") == {}

    asyncio.run(scenario())


def test_what_was_found_stays_and_what_is_new_is_told(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            here.execute(
                "create table looked.drifts (v1 text, v2 text); grant select on looked.drifts to sampler"
            )
            here.execute(
                "insert into looked.drifts select 'd' || n || '@example.com', 'x' from generate_series(1, 9) n"
            )
            assert classes(await here.look(), "drifts") == {"v1": {"email"}}

            here.execute("update looked.drifts set v1 = 'nothing', v2 = '4539578763621486'")
            here.execute(
                "alter table looked.drifts rename v1 to w1; alter table looked.drifts add v9 text"
            )
            here.now[0] += timedelta(days=1)
            assert classes(await here.look(), "drifts") == {"w1": {"email"}, "v2": {"card_number"}}
            told = {
                c["column"]: c for e in here.entries("classes_changed")[1:] for c in e["changes"]
            }
            assert told["looked.drifts.v2"]["after"] == ["card_number"]
            assert told["looked.drifts.v9"]["new"]
            assert "looked.items.v1" not in told
            here.execute("drop table looked.drifts")
            await here.look()
            names = [one.column for one in (await here.classifier.show("test")).columns]
            assert not any("drifts" in name for name in names)

    asyncio.run(scenario())


def test_a_new_broker_knows_what_was_found(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            await here.look()
        async with place(server, tmp_path) as again:
            assert classes(await again.look(), "items")["v1"] == {"card_number"}
            assert again.borrowed == []

    asyncio.run(scenario())


REVIEW = """
[[columns]]
column = "looked.items.v1"
classes = []
reason = "test numbers"

[[columns]]
column = "looked.items.nothing"
classes = ["secret"]
reason = "a mistake"
"""


def test_the_reviewed_file_decides_and_is_read_again(server: str, tmp_path: Path) -> None:
    file = tmp_path / "classes.toml"
    file.write_text(REVIEW)

    async def scenario() -> None:
        async with place(server, tmp_path, classes_file=file) as here:
            assert "v1" not in classes(await here.look(), "items")
            shown = await here.classifier.show("test")
            assert shown.mistakes == ["looked.items.nothing"]
            (v1,) = [one for one in shown.columns if one.column == "looked.items.v1"]
            assert (v1.classes, v1.source, v1.reasons) == ([], "review", ["test numbers"])
            here.changed.clear()
            file.write_text("")
            assert await here.classifier.reload()
            assert here.changed == ["test"]
            assert classes(await here.look(), "items")["v1"] == {"card_number"}
            file.write_text("x = 1")
            assert not await here.classifier.reload()
        with pytest.raises(UsageError, match=r"classes\.toml"):
            async with place(server, tmp_path, classes_file=file):
                pass

    asyncio.run(scenario())


def test_sampling_can_be_off(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path, sampling=False) as here:
            assert classes(await here.look(), "items") == {}
            assert here.borrowed == []
            assert (await here.classifier.show("test")).state == "off"

    asyncio.run(scenario())


def test_a_look_takes_few_rows_of_a_large_table(server: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            here.execute("create table looked.large as select n as id, 'l' || n || '@example.com' as v1"
                         " from generate_series(1, 60000) n")  # fmt: skip
            here.execute("grant select on looked.large to sampler; analyze looked.large")
            assert classes(await here.look(), "large") == {"v1": {"email"}}
            (entry,) = [e for e in here.entries("columns_sampled") if e["table"] == "looked.large"]
            assert "TABLESAMPLE SYSTEM" in entry["statement"]
            (column,) = [
                c
                for c in (await here.classifier.show("test")).columns
                if c.column == "looked.large.v1"
            ]
            assert column.values <= 300
            here.execute("drop table looked.large")

    asyncio.run(scenario())


def test_no_code_of_a_users_runs(server: str, tmp_path: Path) -> None:
    """A function of the name of a built-in one, on the user's own search_path, is not called."""

    async def scenario() -> None:
        async with place(server, tmp_path) as here:
            here.execute("create table looked.touched (x int)")
            here.execute(
                "create function looked.left(text, int) returns text language plpgsql as"
                " $$begin insert into looked.touched values (1); return 'x'; end$$"
            )
            here.execute("alter role sampler set search_path = looked, pg_catalog")
            assert classes(await here.look(), "items")["v1"] == {"card_number"}
            with psycopg.connect(server) as connection:
                assert connection.execute("select count(*) from looked.touched").fetchone() == (0,)
            here.execute("drop function looked.left(text, int); drop table looked.touched")

    asyncio.run(scenario())
