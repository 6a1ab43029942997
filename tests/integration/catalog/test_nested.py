"""Masked rows, ranges, hstore and arrays of them: the server itself takes them as values of their types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final, LiteralString

import psycopg
import pytest
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.hstore import register_hstore

from dbgate_broker.catalog import read_catalog
from dbgate_core.catalog import Catalog
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.plan import plan_rows
from dbgate_core.masking.styles import MaskStyle, MaskStyles
from tests.integration.catalog.test_leaks import (
    assert_no_marker,
    data_rows,
    database,
    described,
    run,
    values_of,
)

KEY = MaskKey(b"k" * 32)
MULTIRANGES_SINCE: Final = 140_000
SECRETS: Final = (b"zqhid", b"7391847391", b"1923-04-05")
PLACE: Final[LiteralString] = "ROW('zqhid \"1\", st\\', NULL, 7391847391, '1923-04-05', true)"

TYPES: Final[tuple[LiteralString, ...]] = (
    "CREATE SCHEMA nested",
    "CREATE TYPE nested.place AS (street text, zip varchar(9), code bigint, since date, here bool)",
    "CREATE TYPE nested.trip AS (here nested.place, there nested.place[])",
    'CREATE TYPE nested.textrange AS RANGE (subtype = text, collation = "C")',
    "CREATE DOMAIN nested.home AS nested.place",
    "CREATE DOMAIN nested.span AS int8range",
)
COLUMNS: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "place": ("nested.place", PLACE),
    "places": ("nested.place[]", f"ARRAY[{PLACE}::nested.place, NULL]"),
    "trip": ("nested.trip", f"ROW({PLACE}::nested.place, ARRAY[{PLACE}::nested.place])"),
    "home": ("nested.home", PLACE),
    "homes": ("nested.home[]", f"ARRAY[{PLACE}::nested.home]"),
    "ids": ("int8range", "'[7391847391,7391847399)'"),
    "open_ids": ("int8range", "'(,7391847391]'"),
    "spans": ("nested.span[]", "ARRAY['[7391847391,)'::nested.span, 'empty']"),
    "prices": ("numrange", "'(7391847391.5,)'"),
    "days": ("daterange[]", "ARRAY['[1923-04-05,1923-04-06]'::daterange]"),
    "moments": ("tsrange", "'[1923-04-05 01:02:03,)'"),
    "zoned": ("tstzrange", "'[1923-04-05 01:02:03+00,)'"),
    "names": ("nested.textrange", "'[zqhid a,zqhid b)'"),
}
MULTI: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "many": ("int8multirange", "'{[7391847391,7391847399),[7391847491,)}'"),
    "dates": ("datemultirange[]", "ARRAY['{[1923-04-05,1923-04-09)}'::datemultirange]"),
    "words": ("nested.textmultirange", "'{[zqhid a,zqhid b)}'"),
}
PAIRS: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "pairs": ("nested.hstore", "nested.hstore('zqhid', 'zqhid \"x')"),
    "more_pairs": ("nested.hstore[]", "ARRAY[nested.hstore('zqhid', NULL)]"),
}
CHECK_VIOLATION: Final = b"23514"
"""A domain's CHECK is about values: a token of an e-mail address has no @."""
Connection = psycopg.Connection[tuple[object, ...]]


def columns_for(connection: Connection) -> dict[str, tuple[LiteralString, LiteralString]]:
    """Those that this server can have."""
    columns = dict(COLUMNS)
    if connection.info.server_version >= MULTIRANGES_SINCE:
        columns |= MULTI
    if connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'hstore'").fetchone():
        connection.execute("CREATE EXTENSION hstore SCHEMA nested")
        columns |= PAIRS
    return columns


@pytest.fixture(scope="module")
def nested(postgres: str) -> Iterator[tuple[Connection, Catalog]]:
    """A table whose every column is protected, for its comment says so."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        for statement in TYPES:
            connection.execute(statement)
        columns = columns_for(connection)
        listed = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
        values = ", ".join(value for _, value in columns.values())
        connection.execute(f"CREATE TABLE nested.t ({listed})")
        connection.execute(f"INSERT INTO nested.t VALUES ({values})")
        for name, (kind, _) in columns.items():
            what = "date of birth" if kind.startswith("date") else "phone number"
            connection.execute(f"COMMENT ON COLUMN nested.t.{name} IS '{what}'")
        yield connection, asyncio.run(read_catalog(*database(postgres)))
        connection.execute("DROP SCHEMA nested CASCADE")


def masked_row(
    connection: Connection, catalog: Catalog, query: str, fmt: int
) -> tuple[pq.abc.PGresult, list[bytes | None]]:
    raw = run(connection, query, fmt)
    mask = plan_rows(described(raw), None, query, catalog, KEY)
    assert mask is not None
    assert len(mask.masked) == raw.nfields
    (row,) = values_of(mask.rewrite(data_rows(raw)))
    return raw, row


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
def test_masked_values_are_values_of_their_types(
    nested: tuple[Connection, Catalog], fmt: int
) -> None:
    connection, catalog = nested
    raw, row = masked_row(connection, catalog, "SELECT * FROM nested.t", fmt)
    for index, value in enumerate(row):
        name = raw.fname(index)
        assert value is not None, name
        assert not any(secret in value for secret in SECRETS), name
        again = connection.pgconn.exec_params(
            b"SELECT $1", [value], [raw.ftype(index)], [fmt], result_format=0
        )
        assert again.status == pq.ExecStatus.TUPLES_OK, (name, again.error_message)


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
def test_a_driver_reads_masked_values(nested: tuple[Connection, Catalog], fmt: int) -> None:
    connection, catalog = nested
    for name in ("nested.place", "nested.trip"):
        info = CompositeInfo.fetch(connection, name)
        assert info is not None
        register_composite(info, connection)
    if pairs := psycopg.types.TypeInfo.fetch(connection, "nested.hstore"):
        register_hstore(pairs, connection)
    raw, row = masked_row(connection, catalog, "SELECT * FROM nested.t", fmt)
    loaders = Transformer(connection)
    for index, value in enumerate(row):
        assert value is not None
        loaders.get_loader(raw.ftype(index), pq.Format(fmt)).load(value)


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT t, ROW(place, ids), ARRAY[t] FROM nested.t",
        "SELECT array_agg(place), range_merge(ids, open_ids), (SELECT homes FROM nested.t) FROM nested.t GROUP BY 2",
        "SELECT (trip).here, (trip).there[1], ROW(ROW(place)) FROM nested.t",
    ],
)
def test_rows_of_tables_and_records_stay_rows(
    nested: tuple[Connection, Catalog], query: str, fmt: int
) -> None:
    connection, catalog = nested
    raw, row = masked_row(connection, catalog, query, fmt)
    loaders = Transformer(connection)
    for index, value in enumerate(row):
        assert value is not None
        assert not any(secret in value for secret in SECRETS)
        loaders.get_loader(raw.ftype(index), pq.Format(fmt)).load(value)


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("style", MaskStyle)
def test_in_each_style_masked_values_are_values_of_their_types(
    nested: tuple[Connection, Catalog], style: MaskStyle, fmt: int
) -> None:
    connection, catalog = nested
    for query in ("SELECT * FROM public.users", "SELECT * FROM nested.t"):
        raw = run(connection, query, fmt)
        mask = plan_rows(described(raw), None, query, catalog, KEY, styles=MaskStyles(style))
        assert mask is not None
        masked = mask.rewrite(data_rows(raw))
        assert_no_marker(masked)
        for index, value in enumerate(values_of(masked)[0]):
            again = connection.pgconn.exec_params(
                b"SELECT $1", [value], [raw.ftype(index)], [fmt], result_format=0
            )
            state = again.error_field(pq.DiagnosticField.SQLSTATE)
            assert state in (None, CHECK_VIOLATION), (raw.fname(index), again.error_message)


def test_dates_and_numbers_are_generalised_alike_in_both_formats(
    nested: tuple[Connection, Catalog],
) -> None:
    connection, catalog = nested
    query = (
        "SELECT birth_date, mobile, card_number, mobile_numbers, email FROM public.users LIMIT 1"
    )
    shown = []
    for fmt in (0, 1):
        raw = run(connection, query, fmt)
        styles = MaskStyles(MaskStyle.GENERALISE)
        mask = plan_rows(described(raw), None, query, catalog, KEY, styles=styles)
        assert mask is not None
        assert [column.mask for column in mask.masked] == [*["generalise"] * 4, "redact"]
        (row,) = values_of(mask.rewrite(data_rows(raw)))
        load = Transformer(connection).get_loader
        shown.append(
            [load(raw.ftype(i), pq.Format(fmt)).load(value) for i, value in enumerate(row) if value]
        )
    assert shown[0] == shown[1]
    assert shown[0][:3] == [date(1987, 1, 1), 700_000_000, Decimal(4 * 10**15)]


def test_a_new_type_is_known_by_its_shape(nested: tuple[Connection, Catalog]) -> None:
    _, catalog = nested
    by_name = {relation.name: relation for relation in catalog.relations}
    table = by_name["t"]
    assert all(catalog.shape(catalog.base_type(column.type_oid)) for column in table.columns)
