"""A name stands for what the server says it does: in any order, in any pipeline, after any failure.

The attacker prepares, declares and binds so that what is masked by one meaning of a name is shown by
another. Clear is a column that nothing protects, so a mask too many is seen as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest

from dbgate_core.pgwire.messages import message
from dbgate_core.secret import Secret
from tests.demo.stage import Stage
from tests.differential.peer import Peer
from tests.e2e.tunnel import Tunnel, tunnel
from tests.integration.gateway.raw import query
from tests.unit.pgwire.test_relay import SYNC, bind, close, describe, execute, parse

pytestmark = pytest.mark.e2e

PROTECTED = "select upper(email) from customers where id = 1"
CLEAR = "select upper(title) from products where id = 1"
BY_CODE = f"execute 'deallocate p'; execute 'prepare p as {PROTECTED}';"


@pytest.fixture(scope="module")
def dev(stage: Stage) -> Iterator[Tunnel]:
    with tunnel(stage, "alice", "dev-db", "--role", "readwrite") as opened:
        yield opened


@pytest.fixture(scope="module")
def email(stage: Stage) -> bytes:
    (value,) = stage.superuser("dev-db", PROTECTED)
    return str(value).encode()


@pytest.fixture(scope="module")
def title(stage: Stage) -> bytes:
    (value,) = stage.superuser("dev-db", CLEAR)
    return str(value).encode()


@contextmanager
def peer(opened: Tunnel) -> Iterator[Peer]:
    url = urlsplit(opened.dsn)
    assert url.port
    assert url.username
    assert url.password
    secret = Secret(unquote(url.password))
    client = Peer(url.port, unquote(url.username), secret, url.path.lstrip("/"))
    try:
        yield client
    finally:
        client.close()


def answers(opened: Tunnel, sent: Sequence[bytes]) -> list[bytes]:
    """What comes back, errors included; each part is sent when the one before was answered."""
    with peer(opened) as client:
        for part in sent:
            ready = [kind for kind, _ in client.seen].count("Z")
            awaited = ready + part.count(SYNC) + part.count(b"Q\0\0\0")
            client.send(part)
            while [kind for kind, _ in client.seen].count("Z") < awaited and not client.ended:
                client.wait(len(client.seen) + 1)
        return [body for kind, body in client.seen if kind in "DEN"]


def run(text: str) -> bytes:
    """All that the extended protocol sends to run a text."""
    return parse("", text) + bind("", "") + execute("")


ATTACKS = {
    "a PREPARE that fails": [
        query(f"prepare p as {PROTECTED}"),
        query(f"prepare p as {CLEAR}"),
        query("execute p"),
    ],
    "a PREPARE that comes behind": [
        query(f"prepare p as {PROTECTED}"),
        query("execute p") + query("deallocate p") + query(f"prepare p as {CLEAR}"),
    ],
    "a text that fails half-way": [
        query(f"prepare p as {CLEAR}"),
        query(f"deallocate p; prepare p as {PROTECTED}; select 1/0; prepare q as {CLEAR}"),
        query("execute p"),
    ],
    "EXECUTE described, PREPARE, executed": [
        query(f"begin; prepare p as {CLEAR}"),
        parse("", "execute p") + bind("c", "") + describe("P", "c") + SYNC,
        query("deallocate p") + query(f"prepare p as {PROTECTED}"),
        execute("c") + SYNC,
    ],
    "the same in one pipeline": [
        query(f"begin; prepare p as {CLEAR}"),
        parse("", "execute p") + bind("c", "") + describe("P", "c")
        + run("deallocate p") + run(f"prepare p as {PROTECTED}") + execute("c") + SYNC,
    ],
    "FETCH described, DECLARE, executed": [
        query(f"begin; declare k cursor for {CLEAR}"),
        parse("", "fetch all from k") + bind("c", "") + describe("P", "c") + SYNC,
        query("close k") + query(f"declare k cursor for {PROTECTED}"),
        execute("c") + SYNC,
    ],
    "FETCH described, bound behind its back, executed": [
        query(f"begin; declare k cursor for {CLEAR}"),
        parse("", "fetch all from k") + bind("c", "") + describe("P", "c") + SYNC,
        close("P", "k") + parse("s", PROTECTED) + bind("k", "s") + SYNC,
        execute("c") + SYNC,
    ],
    "FETCH of what was bound": [
        query("begin"),
        parse("s", PROTECTED) + bind("k", "s") + SYNC,
        query("fetch all from k"),
    ],
    "FETCH of what was bound where a cursor was": [
        query(f"begin; declare k cursor for {CLEAR}"),
        close("P", "k") + parse("s", PROTECTED) + bind("k", "s") + SYNC,
        query("fetch all from k"),
    ],
    "EXECUTE of what was parsed where a PREPARE was": [
        query(f"prepare p as {CLEAR}"),
        close("S", "p") + parse("p", PROTECTED) + SYNC,
        query("execute p"),
    ],
    "EXECUTE begun, PREPARE, the rest": [
        query(f"begin; prepare p as {PROTECTED} union all {PROTECTED}"),
        parse("", "execute p") + bind("c", "") + message(b"E", b"c\0\0\0\0\1") + SYNC,
        query("deallocate p") + query(f"prepare p as {CLEAR}"),
        execute("c") + SYNC,
    ],
    "a cursor of the same name": [
        query(f"prepare p as {PROTECTED}"),
        query(f"begin; declare p cursor for {CLEAR}"),
        query("execute p"),
    ],
    "a cursor of the same name in one text": [
        query(f"prepare p as {PROTECTED}; begin; declare p cursor for {CLEAR}; execute p"),
    ],
    "a name given twice by a text": [
        query(f"prepare p as {CLEAR}; deallocate p; prepare p as {PROTECTED}"),
        query("execute p"),
    ],
    "PREPARE by code": [
        query(f"prepare p as {CLEAR}"),
        query(f"do $$ begin {BY_CODE} end $$"),
        query("execute p"),
    ],
    "PREPARE by code in one text": [
        query(f"prepare p as {CLEAR}; do $$ begin {BY_CODE} end $$; execute p"),
    ],
    "EXECUTE described, PREPARE by code, executed": [
        query("begin; prepare p as select title from products where id = 1"),
        parse("", "execute p") + bind("c", "") + describe("P", "c") + SYNC,
        query(f"do $$ begin {BY_CODE} end $$"),
        execute("c") + SYNC,
    ],
    "a temporary table of EXECUTE": [
        query(f"prepare p as {PROTECTED}"),
        query("create temp table t as execute p"),
        query("select * from t"),
    ],
    "a table of EXECUTE": [
        query(f"prepare p as {PROTECTED}"),
        query("begin; create table nt as execute p; select * from nt"),
    ],
    "Bind of what SQL prepared": [
        query(f"prepare p as {PROTECTED}"),
        bind("", "p") + execute("") + SYNC,
    ],
    "Bind of what SQL prepared again": [
        query(f"prepare p as {CLEAR}") + query("deallocate p") + query(f"prepare p as {PROTECTED}")
        + bind("", "p") + execute("") + SYNC,
    ],
    "a portal of what SQL prepared, and prepares again": [
        query(f"begin; prepare p as {PROTECTED}"),
        bind("c", "p") + SYNC + query("deallocate p") + query(f"prepare p as {CLEAR}"),
        execute("c") + SYNC,
    ],
    "an error behind a Bind": [
        query("prepare p as select upper(email)::int from customers where id = 1"),
        bind("", "p") + execute("") + SYNC,
    ],
    "an error of EXECUTE": [
        query("prepare p as select upper(email)::int from customers where id = 1"),
        query("execute p"),
        query("explain analyze execute p"),
    ],
    "an error of FETCH": [
        query("begin; declare k cursor for select upper(email)::int from customers where id = 1"),
        query("fetch all from k"),
    ],
    "an error of a portal": [
        query("begin"),
        parse("s", "select upper(email)::int from customers where id = 1") + bind("k", "s") + SYNC,
        query("move all from k"),
    ],
    "an error of COMMIT": [
        query("begin; create table dd (email text unique deferrable initially deferred)"),
        query(f"insert into dd {PROTECTED}; insert into dd {PROTECTED}"),
        query("commit"),
    ],
    "an error of SET CONSTRAINTS": [
        query("begin; create table dd (email text unique deferrable initially deferred)"),
        query(f"insert into dd {PROTECTED}; insert into dd {PROTECTED}"),
        query("set constraints all immediate"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("sent", ATTACKS.values(), ids=ATTACKS)
def test_no_other_meaning_of_a_name_shows_a_protected_value(
    dev: Tunnel, email: bytes, sent: list[bytes]
) -> None:
    assert email not in b"\n".join(answers(dev, sent))


@pytest.mark.parametrize(
    "sent",
    [
        [query(f"prepare p as {CLEAR}"), query("execute p")],
        [query(f"prepare p as {CLEAR}; execute p")],
        [query(f"prepare p as {CLEAR}") + query("execute p")],
        [run(f"prepare p as {CLEAR}") + SYNC, run("execute p") + SYNC],
        [query(f"begin; declare k cursor for {CLEAR}"), query("fetch all from k")],
        [query(f"begin; declare k cursor for {CLEAR}"), run("fetch all from k") + SYNC],
        [parse("s", CLEAR) + SYNC, bind("", "s") + execute("") + SYNC],
        [query(f"prepare p as {CLEAR}"), bind("", "p") + execute("") + SYNC],
        [query(f"prepare p as {CLEAR}") + bind("", "p") + describe("P", "") + execute("") + SYNC],
        [run(f"prepare p as {CLEAR}") + SYNC + bind("k", "p") + execute("k") + SYNC],
        [query(f"begin; prepare p as {CLEAR}; rollback"), bind("", "p") + execute("") + SYNC],
    ],
)
def test_what_nothing_protects_is_shown_by_its_name(
    dev: Tunnel, title: bytes, sent: list[bytes]
) -> None:
    assert title in b"\n".join(answers(dev, sent))


WRITING = "insert into products (id, sku, title, category, price) values (97001, 'x', 'x', 'x', 1)"


@pytest.mark.parametrize(
    "sent",
    [
        [parse("s", WRITING) + SYNC, query("execute s")],
        [parse("s", WRITING) + SYNC + run("execute s") + SYNC],
        [parse("s", WRITING) + SYNC, query("prepare s as select 1"), query("execute s")],
        [parse("s", WRITING) + SYNC, query("explain analyze execute s")],
        [parse("s", f"{WRITING} returning id") + SYNC, query("create temp table t as execute s")],
        [query("begin"), parse("s", f"{WRITING} returning id") + bind("k", "s") + SYNC,
         query("fetch all from k"), query("commit")],
        [query("begin; savepoint a"), parse("s", f"{WRITING} returning id") + bind("k", "s") + SYNC,
         query("savepoint b"), query("declare k cursor for select 1"), query("rollback to b"),
         query("move all from k"), query("commit")],
    ],
)  # fmt: skip
def test_sql_does_not_run_what_only_execute_records(
    stage: Stage, dev: Tunnel, sent: list[bytes]
) -> None:
    said = b"\n".join(answers(dev, sent))
    assert b"was named by Parse or Bind" in said
    assert stage.superuser("dev-db", "select count(*) from products where id = 97001") == [0]


def test_what_sql_prepared_is_refused_when_it_was_refused_to_be_prepared(dev: Tunnel) -> None:
    refused = "prepare p as select pg_read_file('/etc/passwd')"
    sent = [query(refused), bind("", "p") + execute("") + SYNC]
    assert b"does not exist" in answers(dev, sent)[-1]


def test_what_is_bound_to_a_name_of_sql_runs_with_its_parameters(dev: Tunnel) -> None:
    prepare = query("prepare p(text) as select upper($1) || length($1)")
    sent = [prepare, bind_text("p", b"mixed") + execute("") + SYNC]
    assert b"MIXED5" in answers(dev, sent)[-1]


def bind_text(statement: str, value: bytes) -> bytes:
    """A Bind of the unnamed portal with one parameter as text."""
    name = statement.encode()
    size = len(value).to_bytes(4, "big")
    return message(b"B", b"\0" + name + b"\0\0\0\0\1" + size + value + b"\0\0")


def test_a_function_is_judged_by_its_number_too(dev: Tunnel) -> None:
    """lo_creat(-1), by FunctionCall: the shipped policies forbid large objects."""
    body = b"\0\0\3\xbd\0\1\0\1\0\1\0\0\0\4\xff\xff\xff\xff\0\1"
    said = answers(dev, [message(b"F", body) + query("select 1"), query("select 2")])
    assert b"large objects, which dbgate cannot mask" in said[0]
