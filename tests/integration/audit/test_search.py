"""Search and transcripts over a real log."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_broker.audit import block, owners, terms
from dbgate_broker.audit.block import micros
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.audit.search import AuditQuery
from dbgate_broker.config import AuditConfig
from dbgate_cli import entries as shown
from dbgate_core.audit import canonical
from dbgate_core.errors import Unreachable, UsageError, VerificationFailed

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ALICE = {"kind": "user", "name": "alice", "issuer": "https://idp", "subject": "1"}
COPILOT = {"kind": "agent", "name": "copilot", "on_behalf_of": {"kind": "user", "name": "bob"}}


class Clock:
    """Goes a second with each look, or where it is put."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += timedelta(seconds=1)
        return micros(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(config: AuditConfig, clock: Clock) -> Iterator[AuditLog]:
    with AuditLog.open(config, clock_us=clock, segment_bytes=8192) as opened:
        yield opened


def scope(who: dict[str, Any], session: str, database: str = "prod-db") -> dict[str, Any]:
    return {"session": session, "who": who, "database": database, "access_role": "readonly"}


def statement(
    log: AuditLog, text: str, tables: list[str], who: dict[str, Any], session: str, **more: Any
) -> int:
    return log.append(
        "statement",
        {"scope": scope(who, session, **more), "verdict": "allow", "text": text, "tables": tables},
    )


@pytest.fixture
def story(log: AuditLog) -> AuditLog:
    """1 and 2, 3: alice's; 4, 5: the agent's; 6: refused; 7: a request; 8: without its end."""
    begun = statement(log, "SELECT * FROM Orders", ["shop.orders"], ALICE, "s1")
    log.append("statement_end", {"begin": begun, "status": "ok", "rows": 3})
    begun = statement(log, "select straße", ["shop.customers", "shop.orders"], COPILOT, "s2")
    exposed = [{"column": "email", "classes": ["email", "phone"]}]
    log.append("statement_end", {"begin": begun, "status": "ok", "rows": 1, "exposed": exposed})
    log.append(
        "statement_refused",
        {"scope": scope(ALICE, "s1"), "verdict": "deny", "text": "drop table orders",
         "tables": ["shop.orders"], "policies": ["no-drop"]},
    )  # fmt: skip
    log.append("request_created", {"who": ALICE, "database": "dev-db", "reason": "why not"})
    statement(log, "select pg_sleep(60)", [], ALICE, "s3", database="dev-db")
    return log


CASES = [
    (AuditQuery(), [0, 1, 2, 3, 4, 5, 6, 7]),
    (AuditQuery(principal="alice"), [1, 2, 5, 6, 7]),
    (AuditQuery(principal="copilot"), [3, 4]),
    (AuditQuery(principal="bob"), [3, 4]),
    (AuditQuery(principal="ali"), []),
    (AuditQuery(principal="nobody"), []),
    (AuditQuery(database="prod-db"), [1, 2, 3, 4, 5]),
    (AuditQuery(table="orders"), [1, 2, 3, 4, 5]),
    (AuditQuery(table="shop.orders"), [1, 2, 3, 4, 5]),
    (AuditQuery(table="other.orders"), []),
    (AuditQuery(table="customers"), [3, 4]),
    (AuditQuery(verdict="deny"), [5]),
    (AuditQuery(verdict="allow", table="orders", principal="alice"), [1, 2]),
    (AuditQuery(text="orders"), [1, 2, 5]),
    (AuditQuery(text="DROP Table"), [5]),
    (AuditQuery(text="STRASSE"), [3, 4]),
    (AuditQuery(text="%"), []),
    (AuditQuery(text="' or 1=1 --"), []),
    (AuditQuery(kind="statement"), [1, 2, 3, 4, 7]),
    (AuditQuery(kind="statement_end"), [2, 4]),
    (AuditQuery(kind="statement_end", principal="alice"), [2]),
    (AuditQuery(kind="statement_end", text="straße", verdict="allow"), [4]),
    (AuditQuery(kind="statement_end", session="s2"), [4]),
    (AuditQuery(kind="nonsense"), []),
    (AuditQuery(exposed="phone"), [4]),
    (AuditQuery(exposed="email", principal="bob", table="orders"), [4]),
    (AuditQuery(exposed="email", principal="alice"), []),
    (AuditQuery(exposed="iban"), []),
    (AuditQuery(session="s1"), [1, 2, 5]),
    (AuditQuery(session="s1", kind="statement_refused"), [5]),
    (AuditQuery(database="dev-db", principal="alice"), [6, 7]),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_what_is_found(story: AuditLog, query: AuditQuery, expected: list[int]) -> None:
    page = story.search(query)
    assert [entry["index"] for entry in page.entries] == expected
    assert page.next == ""


def test_times_are_from_included_to_excluded(story: AuditLog) -> None:
    times = [datetime.fromisoformat(e["time"]) for e in story.search(AuditQuery()).entries]
    found = story.search(AuditQuery(since=times[3], until=times[6])).entries
    assert [entry["index"] for entry in found] == [3, 4, 5]
    assert story.search(AuditQuery(since=times[-1] + timedelta(seconds=1))).entries == []
    assert story.search(AuditQuery(until=times[0])).entries == []


def test_a_clock_that_steps_back_hides_nothing(log: AuditLog, clock: Clock) -> None:
    log.append("x", {"number": 1})
    log.search(AuditQuery())
    clock.now = START - timedelta(hours=1)
    log.append("x", {"number": 2})
    log.search(AuditQuery())
    clock.now = START + timedelta(hours=1)
    log.append("x", {"number": 3})
    found = log.search(AuditQuery(kind="x", since=START)).entries
    assert [entry["number"] for entry in found] == [1, 3]
    assert [e["number"] for e in log.search(AuditQuery(kind="x", until=START)).entries] == [2]


def test_an_entry_is_found_at_once(log: AuditLog) -> None:
    for number in range(20):
        index = log.append("x", {"text": f"needle {number}"})
        found = log.search(AuditQuery(text=f"NEEDLE {number}")).entries
        assert index in [entry["index"] for entry in found]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_give_everything_once(log: AuditLog, limit: int) -> None:
    expected = set()
    for number in range(25):
        begun = statement(log, f"select {number}", ["shop.orders"], ALICE, "s1")
        expected |= {begun, log.append("statement_end", {"begin": begun, "status": "ok"})}
    found: list[int] = []
    cursor = ""
    while True:
        page = log.search(AuditQuery(table="orders"), cursor, limit)
        assert len(page.entries) <= max(limit, 2)
        found += [entry["index"] for entry in page.entries]
        cursor = page.next
        if not cursor:
            break
    assert found == sorted(expected)
    rows = shown.lines(log.search(AuditQuery(table="orders"), limit=50).entries)
    assert len(rows) == 25


def test_a_session_is_complete_and_in_order(log: AuditLog) -> None:
    log.append("session_opened", {"scope": scope(ALICE, "s1")})
    first = statement(log, "select 1", [], ALICE, "s1")
    other = statement(log, "select 2", [], COPILOT, "s2")
    long = statement(log, "select '" + "x" * 200_000 + "'", [], ALICE, "s1")
    log.search(AuditQuery())  # what comes now is another batch of the index
    log.append("statement_end", {"begin": other})
    log.append("statement_end", {"begin": first})
    log.append("statement_end", {"begin": long})
    log.append("session_closed", {"scope": scope(ALICE, "s1")})
    kinds = [entry["kind"] for entry in log.session("s1").entries]
    assert kinds == ["session_opened", "statement", "statement", *["statement_text"] * 3,
                     "statement_end", "statement_end", "session_closed"]  # fmt: skip
    assert [e["kind"] for e in log.session("s2").entries] == ["statement", "statement_end"]
    assert log.session("none").entries == []


def test_a_session_comes_in_pages(log: AuditLog) -> None:
    for number in range(1500):
        statement(log, f"select {number}", [], ALICE, "s1")
    first = log.session("s1")
    second = log.session("s1", first.next)
    assert [len(first.entries), len(second.entries), second.next] == [1000, 500, ""]


def test_a_long_text_is_found_beyond_its_first_part(log: AuditLog) -> None:
    text = "select '" + "x" * 200_000 + " Needle " + "y" * 100_000 + "'"
    index = statement(log, text, [], ALICE, "s1")
    across = text[64 * 1024 - 3 : 64 * 1024 + 3]
    for needle in ("needle", across, text):
        assert [e["index"] for e in log.search(AuditQuery(text=needle)).entries] == [index]


@pytest.mark.parametrize("cursor", ["x", "-1", "1 ", "٣", "9" * 30, "1;drop table entries"])
def test_a_cursor_that_no_page_gave_is_refused(log: AuditLog, cursor: str) -> None:
    with pytest.raises(UsageError, match="cursor"):
        log.search(AuditQuery(), cursor)
    with pytest.raises(UsageError, match="cursor"):
        log.session("s1", cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_range_is_refused(log: AuditLog, limit: int) -> None:
    with pytest.raises(UsageError, match="limit"):
        log.search(AuditQuery(), limit=limit)


def place(config: AuditConfig) -> Path:
    return config.directory.with_name("audit-index.sqlite")


def remove(path: Path) -> None:
    path.unlink()


def garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[: len(data) // 2] = b"\xff" * (len(data) // 2)
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])


def of_another_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()


def of_another_log(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("update position set log = 'other'")
        db.execute("delete from blocks")
    db.close()


def of_other_bytes(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("update position set mark = x'00'")
        db.execute("delete from postings")
    db.close()


@pytest.mark.parametrize(
    "damage", [remove, garble, cut, of_another_version, of_another_log, of_other_bytes]
)
def test_the_index_is_rebuilt_from_the_log(
    config: AuditConfig, damage: Callable[[Path], None]
) -> None:
    with AuditLog.open(config, segment_bytes=8192) as log:
        for number in range(200):
            statement(log, f"select {number}", ["shop.orders"], ALICE, "s1")
        assert len(log.search(AuditQuery(table="orders"), limit=500).entries) == 200
    for suffix in ("-wal", "-shm"):
        Path(f"{place(config)}{suffix}").unlink(missing_ok=True)
    damage(place(config))
    with AuditLog.open(config, segment_bytes=8192) as log:
        found = log.search(AuditQuery(table="orders"), limit=500).entries
        assert [entry["text"] for entry in found] == [f"select {n}" for n in range(200)]
        assert len(log.session("s1").entries) == 200


def test_an_index_that_is_behind_goes_on(config: AuditConfig) -> None:
    with AuditLog.open(config) as log:
        log.append("x", {"number": 1})
        log.search(AuditQuery())
        log.append("x", {"number": 2})
    with AuditLog.open(config) as log:
        log.append("x", {"number": 3})
        found = log.search(AuditQuery(kind="x")).entries
    assert [entry["number"] for entry in found] == [1, 2, 3]


def test_without_an_index_there_is_no_search_but_the_log_goes_on(config: AuditConfig) -> None:
    place(config).mkdir(parents=True)
    with AuditLog.open(config) as log:
        log.append("x", {})
        with pytest.raises(Unreachable, match="search index"):
            log.search(AuditQuery())
        log.append("x", {})


def test_a_closed_log_is_not_searched(config: AuditConfig) -> None:
    log = AuditLog.open(config)
    log.close()
    with pytest.raises(Unreachable, match="closed"):
        log.search(AuditQuery())


def test_a_line_altered_under_the_search_is_said(config: AuditConfig) -> None:
    with AuditLog.open(config) as log:
        log.append("x", {"text": "abc"})
        file = config.directory / "segment-00000001.jsonl"
        file.write_bytes(file.read_bytes().replace(b'"abc"', b'"ab\\"'))
        with pytest.raises(VerificationFailed, match="no entry"):
            log.search(AuditQuery())


def test_a_block_that_cannot_be_kept_is_kept_later(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost or there twice when the index's disk fails for a while."""
    statement(log, "select 1", ["shop.orders"], ALICE, "s1")
    with monkeypatch.context() as broken:

        def fails(*_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        broken.setattr(block, "ENTRIES", 1)
        broken.setattr("dbgate_broker.audit.index._insert", fails)
        assert not all(log._index.advance() for _ in range(5))
    statement(log, "select 2", ["shop.customers"], COPILOT, "s2")
    for table, who in (("shop.orders", "alice"), ("shop.customers", "copilot")):
        found = log.search(AuditQuery(table=table)).entries
        assert [entry["scope"]["who"]["name"] for entry in found] == [who]


_field = st.none() | st.sampled_from(["alice", "deny", 3])
_entry = st.fixed_dictionaries(
    {"kind": st.sampled_from(["statement", "request_created"])},
    optional={
        "scope": st.sampled_from([scope(ALICE, "s1"), scope(COPILOT, "s2"), {}, None]),
        "tables": st.sampled_from([[], ["shop.orders"], ["orders", 1], "orders", None]),
        **dict.fromkeys(["verdict", "session", "database", "who", "requester", "by"], _field),
    },
)


@given(st.lists(_entry, min_size=2, max_size=6))
def test_entries_of_one_shape_have_the_same_terms(values: list[dict[str, Any]]) -> None:
    known: dict[terms.Shape, frozenset[str]] = {}
    for index, value in enumerate(values):
        said = {"index": index, "time": "2026-01-31T12:00:00.000000Z", "prev": "", **value}
        entry = terms.line(canonical.encode(said))
        shape = terms.shape(entry)
        if shape is not None:
            assert known.setdefault(shape, terms.of_line(entry)) == terms.of_line(entry)


def everything(log: AuditLog) -> list[list[int]]:
    """What every query of the story's cases finds, by pages of three."""
    found = []
    for query, _ in CASES:
        indexes: list[int] = []
        cursor = ""
        while True:
            page = log.search(query, cursor, 3)
            indexes += [entry["index"] for entry in page.entries]
            cursor = page.next
            if not cursor:
                break
        found.append(indexes)
    return found


@pytest.mark.parametrize("entries", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("remembered", [1, 10_000])
def test_what_is_found_does_not_depend_on_where_blocks_end(
    story: AuditLog, monkeypatch: pytest.MonkeyPatch, entries: int, remembered: int
) -> None:
    """Ends are found by what began in another block, remembered or read again."""
    expected = everything(story)
    assert [sorted(found) for found in expected] == [found for _, found in CASES]
    monkeypatch.setattr(block, "ENTRIES", entries)
    monkeypatch.setattr(owners, "REMEMBERED", remembered)
    monkeypatch.setattr(owners, "REMEMBERED_CHARS", remembered)
    story._index._discard()
    assert everything(story) == expected


def test_a_statement_that_runs_across_many_blocks_keeps_its_end(
    config: AuditConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "ENTRIES", 4)
    with AuditLog.open(config) as log:
        text = "select '" + "x" * 70_000 + " Needle'"
        begun = statement(log, text, ["shop.orders"], ALICE, "s1")
        for number in range(20):
            statement(log, f"select {number}", [], COPILOT, "s2")
        log.search(AuditQuery())
    with AuditLog.open(config) as log:  # what was remembered is not
        end = log.append("statement_end", {"begin": begun, "status": "ok"})
        for query in (AuditQuery(table="orders"), AuditQuery(text="needle", principal="alice")):
            assert [e["index"] for e in log.search(query).entries] == [begun, end]
        ended = AuditQuery(kind="statement_end", text="needle", session="s1", verdict="allow")
        assert [e["index"] for e in log.search(ended).entries] == [end]
        assert [e["index"] for e in log.session("s1").entries] == [begun, begun + 1, end]


@given(st.sets(st.integers(0, block.ENTRIES - 1)))
def test_bits_are_what_they_were(places: set[int]) -> None:
    found = block.bits(places)
    assert list(block.places(found)) == sorted(places)
    assert block.unpack_bits(block.pack_bits(found)) == found


@pytest.mark.parametrize("begin", [-1, 5, 10**30, True, "1", None])
def test_an_end_of_nothing_is_an_entry_of_its_own(log: AuditLog, begin: object) -> None:
    index = log.append("statement_end", {"begin": begin, "scope": scope(ALICE, "s1")})
    found = log.search(AuditQuery(principal="alice", kind="statement_end")).entries
    assert [entry["index"] for entry in found] == [index]
    assert log.search(AuditQuery(), "9" * 18).entries == []
