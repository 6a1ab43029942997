"""Every way out that the corpus knows, tried on a real server: no marker comes through."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import pq
from psycopg.adapt import Transformer

from dbgate_broker.catalog import read_catalog
from dbgate_broker.config import DatabaseConfig
from dbgate_core.catalog import Catalog
from dbgate_core.errors import Denied
from dbgate_core.masking.flows import hidden_flow
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.plan import plan_copy, plan_rows
from dbgate_core.secret import Secret
from tests.integration.catalog.corpus import HARMLESS, LEAKS, MARKERS

KEY = MaskKey(b"k" * 32)
NUMBERS = (739184000, 4929739184000000)


@dataclass(frozen=True)
class Login:
    username: str
    password: Secret


@dataclass(frozen=True)
class Described:
    """One column as RowDescription gives it."""

    name: str
    table_oid: int
    attnum: int
    type_oid: int
    type_modifier: int
    format: int


def database(dsn: str) -> tuple[DatabaseConfig, Login]:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    config = DatabaseConfig(
        name="test", host=str(parts["host"]), port=int(str(parts["port"])), dbname="postgres",
        environment="production", tls="disable", access_roles=[],
    )  # fmt: skip
    return config, Login(str(parts["user"]), Secret(str(parts["password"])))


@pytest.fixture(scope="module")
def catalog(postgres: str) -> Catalog:
    return asyncio.run(read_catalog(*database(postgres)))


@pytest.fixture
def connection(postgres: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres) as opened:
        yield opened
        opened.rollback()


def described(result: pq.abc.PGresult) -> list[Described]:
    return [
        Described(
            (result.fname(i) or b"").decode(), result.ftable(i), result.ftablecol(i),
            result.ftype(i), result.fmod(i), result.fformat(i),
        )
        for i in range(result.nfields)
    ]  # fmt: skip


def data_rows(result: pq.abc.PGresult) -> bytes:
    """The result as the DataRow messages that the server sent."""
    out = []
    for row in range(result.ntuples):
        body = struct.pack("!H", result.nfields)
        for column in range(result.nfields):
            value = result.get_value(row, column)
            body += (
                struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
            )
        out.append(b"D" + struct.pack("!i", len(body) + 4) + body)
    return b"".join(out)


def values_of(messages: bytes) -> list[list[bytes | None]]:
    rows, position = [], 0
    while position < len(messages):
        length, columns = struct.unpack_from("!iH", messages, position + 1)
        at, row = position + 7, list[bytes | None]()
        for _ in range(columns):
            (size,) = struct.unpack_from("!i", messages, at)
            row.append(None if size < 0 else messages[at + 4 : at + 4 + size])
            at += 4 + max(size, 0)
        position += 1 + length
        assert at == position
        rows.append(row)
    return rows


def traces(text: str) -> Iterator[bytes]:
    """A marker plain, reversed, in hexadecimal and (its inner part) in base64."""
    yield text.encode()
    yield text[::-1].encode()
    yield text.encode().hex().encode()
    if len(text) >= 6:
        yield base64.b64encode(text.encode()[:3])[:4] + base64.b64encode(text.encode()[3:6])[:4]


def assert_no_marker(output: bytes) -> None:
    lowered = output.lower()
    for marker in MARKERS:
        for trace in traces(marker):
            at = lowered.find(trace.lower())
            assert at < 0, f"{marker} came out: {output[max(0, at - 40) : at + 40]!r}"
    for number in NUMBERS:
        for near in range(number, number + 8):
            assert struct.pack("!q", near) not in output
    assert struct.pack("!i", -4678) not in output  # 1987-03-14 as a binary date
    assert bytes([203, 0, 113, 77]) not in output


def run(
    connection: psycopg.Connection[tuple[object, ...]], query: str, fmt: int
) -> pq.abc.PGresult:
    result = connection.pgconn.exec_params(query.encode(), [], result_format=fmt)
    assert result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK), (
        result.error_message
    )
    return result


def skip_what_the_server_lacks(result: pq.abc.PGresult) -> None:
    """Binary formats of some types; in the PyPI wheel's build libxml and pg_trgm."""
    error = (result.error_message or b"").decode()
    for lacking in ("no binary output function", "unsupported XML feature", "function similarity("):
        if lacking in error:
            pytest.skip(error.partition("\n")[0])


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("query", LEAKS)
def test_a_marker_never_comes_out(
    query: str, fmt: int, catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    connection.execute("SELECT set_config('x.y', 'zqmail', true)")
    raw = connection.pgconn.exec_params(query.encode(), [], result_format=fmt)
    skip_what_the_server_lacks(raw)
    assert raw.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK), raw.error_message
    messages = data_rows(raw)
    if raw.nfields == 0:
        return
    mask = plan_rows(described(raw), None, query, catalog, KEY)
    assert mask is not None
    masked = mask.rewrite(messages)
    assert_no_marker(masked)
    assert len(values_of(masked)) == raw.ntuples
    loaders = Transformer(connection)
    for row in values_of(masked):
        for index, value in enumerate(row):
            if value is not None:
                loaders.get_loader(raw.ftype(index), pq.Format(fmt)).load(value)


@pytest.mark.parametrize("fmt", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("query", HARMLESS)
def test_a_harmless_query_is_left_alone(
    query: str, fmt: int, catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    raw = connection.pgconn.exec_params(query.encode(), [], result_format=fmt)
    skip_what_the_server_lacks(raw)
    assert raw.status == pq.ExecStatus.TUPLES_OK, raw.error_message
    mask = plan_rows(described(raw), None, query, catalog, KEY)
    assert mask is None


def test_the_corpus_is_large() -> None:
    assert len(LEAKS) >= 60
    assert len(HARMLESS) >= 60


@pytest.mark.parametrize(
    "options",
    ["", "(FORMAT csv)", "CSV HEADER", "(FORMAT csv, DELIMITER ';', QUOTE '''', NULL 'none')",
     "(DELIMITER '|', NULL 'nothing')", "(FORMAT csv, ESCAPE '\\', FORCE_QUOTE *)", "(HEADER)"],
)  # fmt: skip
@pytest.mark.parametrize(
    "what",
    ["users", "users (id, email, city, emails)", "public.users (ssn, phone)",
     "(SELECT * FROM users)", "(SELECT id, upper(email), email FROM users)",
     "(SELECT x FROM everyone)", "(UPDATE users SET city = email RETURNING city, id)"],
)  # fmt: skip
def test_copy_gives_no_marker_however_it_is_cut(
    what: str, options: str, catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    text = f"COPY {what} TO STDOUT {options}"
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        data = b"".join(bytes(part) for part in copy)
        columns = cursor.pgresult.nfields if cursor.pgresult else 0
    whole = plan_copy(text, None, catalog, False, columns, KEY)
    assert whole is not None
    masked = whole.rewrite(data) + whole.finish()
    assert_no_marker(masked)
    assert masked.count(b"\n") == data.count(b"\n")
    cut = plan_copy(text, None, catalog, False, columns, KEY)
    assert cut is not None
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    assert b"".join(cut.rewrite(piece) for piece in pieces) + cut.finish() == masked


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_masked_copy_loads_again(
    catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]], form: str
) -> None:
    """The server itself accepts the masked values as values of their types."""
    columns = "id, email, mobile, birth_date, card_number, api_key, last_ip, billing_address, emails, mobile_numbers, avatar_token"
    text = f"COPY users ({columns}) TO STDOUT (FORMAT {form})"
    with connection.cursor() as cursor:
        with cursor.copy(text) as copy:
            data = b"".join(bytes(part) for part in copy)
        mask = plan_copy(text, None, catalog, form == "binary", 11, KEY)
        assert mask is not None
        masked = mask.rewrite(data) + mask.finish()
        assert_no_marker(masked)
        cursor.execute("CREATE TABLE again (LIKE users)")
        with cursor.copy(f"COPY again ({columns}) FROM STDIN (FORMAT {form})") as back:
            back.write(masked)
        cursor.execute("SELECT count(*), count(DISTINCT email), count(DISTINCT mobile) FROM again")
        assert cursor.fetchone() == (5, 5, 5)


def test_copy_of_clean_columns_passes(catalog: Catalog) -> None:
    for text, columns in (
        ("COPY products TO STDOUT", 5),
        ("COPY users (id, city) TO STDOUT (FORMAT binary)", 2),
        ("COPY (SELECT city, count(*) FROM users GROUP BY 1) TO STDOUT CSV", 2),
        ("COPY notes TO STDOUT", 2),
    ):
        assert plan_copy(text, None, catalog, "binary" in text, columns, KEY) is None


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("COPY users TO STDOUT (FORMAT binary)", 26),
        ("COPY users TO STDOUT (ENCODING 'latin1')", 27),
        ("COPY (SELECT (u).* FROM users u) TO STDOUT", 27),
        ("COPY users TO STDOUT", 26),
        ("COPY unknown_to_the_catalog TO STDOUT", 3),
        ("COPY users TO STDOUT; COPY orders TO STDOUT", 27),
        ("COPY (((", 1),
    ],
)
def test_copy_that_cannot_be_masked_is_refused(text: str, columns: int, catalog: Catalog) -> None:
    binary = "binary" in text
    with pytest.raises(Denied):
        plan_copy(text, None, catalog, binary, columns, KEY)


def test_rows_of_cursors_and_prepared_statements(
    catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    declare = "DECLARE c CURSOR FOR SELECT id, upper(email), email, city || '' FROM users"
    prepare = "PREPARE p AS SELECT id, upper(email), email, city || '' FROM users"
    connection.execute(declare)
    connection.execute(prepare)
    for text in ("FETCH 2 FROM c", "EXECUTE p"):
        raw = run(connection, text, 0)
        blind = plan_rows(described(raw), None, text, catalog, KEY)
        assert blind is not None
        assert {"upper", "email", "?column?"} <= {column.name for column in blind.masked}
        told = plan_rows(
            described(raw), None, text, catalog, KEY, names={"c": declare, "p": prepare}
        )
        assert told is not None
        assert [column.name for column in told.masked] == ["upper", "email"]
        assert_no_marker(told.rewrite(data_rows(raw)))


def test_an_unknown_prepared_statement_may_give_back_what_it_wrote(
    catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    prepare = "PREPARE w AS INSERT INTO notes (body) SELECT email FROM users RETURNING body"
    connection.execute(prepare)
    raw = run(connection, "EXECUTE w", 0)
    for text, names in (
        ("EXECUTE w", None),
        ("EXECUTE w", {"w": prepare}),
        (f"{prepare}; EXECUTE w", None),
    ):
        mask = plan_rows(described(raw), None, text, catalog, KEY, names=names)
        assert mask is not None
        assert_no_marker(mask.rewrite(data_rows(raw)))


HIDDEN_FLOWS = [
    "SELECT set_config('application_name', email, false) FROM users",
    "SELECT 1 FROM users WHERE pg_notify('x', email) IS NULL",
    "SELECT lo_from_bytea(0, email::bytea) FROM users",
    "CREATE TABLE x AS SELECT email AS a FROM users",
    "CREATE MATERIALIZED VIEW x AS SELECT upper(email) AS a FROM users",
    "INSERT INTO notes (body) SELECT email FROM users",
    "INSERT INTO products SELECT id, email FROM users",
    "UPDATE users SET city = email",
    "UPDATE users SET city = (SELECT upper(phone) FROM users LIMIT 1)",
    "UPDATE orders SET total = u.mobile FROM users u",
    "WITH s AS (SELECT email AS x FROM users), w AS (INSERT INTO notes (body) SELECT x FROM s RETURNING id) SELECT 1",
    "MERGE INTO notes n USING users u ON false WHEN NOT MATCHED THEN INSERT (body) VALUES (u.email)",
    "INSERT INTO notes (body) VALUES (one_mail())",
    "PREPARE p AS INSERT INTO notes (body) SELECT email FROM users",
    "EXPLAIN ANALYZE INSERT INTO notes (body) SELECT email FROM users",
    "SELECT 1; UPDATE users SET city = email",
    "SELECT set_config('x.y', one_mail(), false)",
]
OPEN_FLOWS = [
    "SELECT email FROM users",
    "INSERT INTO users (id, email, city) VALUES (9, 'a@b.c', 'x') ON CONFLICT (id) DO UPDATE SET email = excluded.email, city = excluded.city",
    "UPDATE users SET email = lower(email)",
    "UPDATE users SET city = 'x' WHERE email = 'y'",
    "INSERT INTO notes (body) SELECT city FROM users",
    "INSERT INTO email SELECT id, email FROM users",
    "CREATE TABLE x AS SELECT id, city FROM users",
    "CREATE VIEW x AS SELECT email FROM users",
    "SELECT set_config('search_path', 'public', false)",
    "SELECT pg_notify('jobs', '1')",
    "INSERT INTO orders (id, user_id) SELECT 1, id FROM users WHERE email = 'x'",
    "DELETE FROM users WHERE email = 'x'",
]


@pytest.mark.parametrize("text", HIDDEN_FLOWS)
def test_moving_protected_values_out_of_sight_is_seen(text: str, catalog: Catalog) -> None:
    assert hidden_flow(text, catalog) != ""


@pytest.mark.parametrize("text", OPEN_FLOWS)
def test_ordinary_writes_move_nothing(text: str, catalog: Catalog) -> None:
    assert hidden_flow(text, catalog) == ""


def test_a_table_that_the_catalog_does_not_know_is_masked(
    catalog: Catalog, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    connection.execute("CREATE TEMP TABLE t AS SELECT email AS x, id FROM users")
    for text in ("SELECT x FROM t", "SELECT x || '' FROM t", "SELECT * FROM pg_temp.t"):
        raw = run(connection, text, 0)
        mask = plan_rows(described(raw), None, text, catalog, KEY)
        assert mask is not None
        assert_no_marker(mask.rewrite(data_rows(raw)))


def test_two_results_of_one_text_are_both_masked(catalog: Catalog) -> None:
    computed_column = Described("upper", 0, 0, 25, -1, 0)
    text = "SELECT upper(city) FROM users; SELECT upper(email) FROM users"
    assert plan_rows([computed_column], None, text, catalog, KEY) is not None


def test_nothing_known_means_masked(catalog: Catalog) -> None:
    computed_column = Described("x", 0, 0, 25, -1, 0)
    for text in ("", "SELECT (((", "CALL p()"):
        assert plan_rows([computed_column], None, text, catalog, KEY) is not None
