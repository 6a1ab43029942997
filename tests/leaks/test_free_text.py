"""What stands within texts of columns that have no class, under `@free_text`: by every way, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbgate_core.secret import Secret
from tests.differential.place import GOVERNED, Place, place
from tests.integration.gateway.world import USER_PASSWORD
from tests.leaks.corpus import Case
from tests.leaks.trial import Side
from tests.leaks.ways import WAYS, Way, simple

pytestmark = pytest.mark.e2e
RULES = """
@id("texts") @free_text("mask") permit (principal, action, resource);
@id("masked") forbid (principal, action == Action::"unmask", resource);
"""
MAKE = (
    "create type remark as (at int, body text)",
    "create table remarks (id int primary key, body text, tags text[], doc jsonb, raw json, pair remark, x xml)",
    """insert into remarks values (1, 'to ada.lovelace@example.com', '{"x, 4111 1111 1111 1111",plain}',
    '{"a": {"b": "DE89370400440532013000"}}', '{"c": "ada.lovelace\\u0040example.com"}',
    row(7, 'key AKIAIOSFODNN7EXAMPLE'), '<p>ada.lovelace@example.com</p>'),
    (2, 'nothing @ all', '{}', '{"n": 1.50}', '{"n":  1.50}', row(8, 'x'), '<p/>')""",
    "create function says(word text) returns text language plpgsql as"
    " $$ begin raise notice 'said %', word; return word; end $$",
    "grant all on all tables in schema public to ephemeral",
)
SECRET = (b"ada.lovelace", b"4111 1111", b"DE8937", b"AKIAIOSF", b"u0040")
SHOWING = (
    "select * from remarks where id = 1",
    "select body from remarks order by id",
    "select upper(left(body, 3)) || substr(body, 4) from remarks",
    "select array_agg(body) from remarks",
    "select to_jsonb(r) from remarks r",
    "select r from remarks r",
    "select row(id, body, tags), array[row(body)] from remarks",
    "select raw::text, array[raw], array[row(raw)] from remarks",
    "select string_agg(body, ',') from remarks",
    "select body::varchar(200), body::char(60) from remarks",
    "table remarks",
    "copy remarks to stdout",
    "copy (select body, tags, doc, pair from remarks) to stdout (format csv, header)",
    "insert into remarks (id, body) values (3, 'ada.lovelace@example.com') returning *",
    "select says(body) from remarks",
    "select body::int from remarks",
    "values ('ada.lovelace@example.com')",
    "explain select * from remarks where body = 'ada.lovelace@example.com'",
)


@pytest.fixture(scope="module")
def where() -> Iterator[tuple[Place, Side, Side]]:
    with place(MAKE, rules=RULES) as it, it.gateway() as world:
        password = Secret(USER_PASSWORD)
        direct = Side(it.server.port, "ephemeral", password, "one")
        governed = Side(world.local, world.tunnel.username, world.tunnel.password, GOVERNED)
        yield it, direct, governed
        direct.close()
        governed.close()


def shown(side: Side, step: str, way: Way) -> bytes:
    return b"\n".join(body for _, body in side.run(Case("texts", (step,)), way))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("step", SHOWING)
def test_nothing_that_is_found_within_texts_comes_out(
    where: tuple[Place, Side, Side], step: str, way: Way
) -> None:
    _, direct, governed = where
    assert any(value in shown(direct, step, way) for value in SECRET), "it proves nothing"
    seen = shown(governed, step, way)
    assert not [value for value in SECRET if value in seen]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_row_without_any_is_the_servers(where: tuple[Place, Side, Side], way: Way) -> None:
    _, direct, governed = where
    step = "select id, body, tags, doc, raw, pair, x from remarks where id = 2"
    assert governed.run(Case("texts", (step,)), way) == direct.run(Case("texts", (step,)), way)


def test_a_copy_in_binary_is_refused_in_step(where: tuple[Place, Side, Side]) -> None:
    _, _, governed = where
    seen = governed.run(Case("texts", ("copy remarks to stdout (format binary)",)), simple)
    assert [kind for kind, _ in seen][-2:] == ["E", "Z"]
    assert not [value for value in SECRET if any(value in body for _, body in seen)]
