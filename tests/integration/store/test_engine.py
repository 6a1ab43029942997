import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

from dbgate_broker.store.engine import Store, open_store
from dbgate_broker.store.schema import brokers, metadata
from dbgate_broker.store.sessions import seen
from dbgate_core.errors import Unreachable, UsageError
from tests.unit.approval.people import T0


def test_the_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert store.call_now(differences) == []


def test_a_store_is_opened_again_with_what_it_holds(state_url: str) -> None:
    first = open_store(state_url)
    first.call_now(seen, "broker", T0)
    first.close()
    again = open_store(state_url)
    assert again.call_now(lambda c: c.execute(select(brokers.c.seen_at)).scalar()) == T0
    again.close()


def test_several_that_open_an_empty_store_at_once_all_succeed(state_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for opened in threads.map(lambda _: open_store(state_url), range(4)):
            opened.close()


def test_a_store_of_a_newer_dbgate_is_refused(store: Store, state_url: str) -> None:
    store.call_now(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))
    with pytest.raises(UsageError, match="newer"):
        open_store(state_url)


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def half(connection: Connection) -> None:
        seen(connection, "broker", T0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(store.call(half))
    assert store.call_now(lambda c: c.execute(select(brokers)).all()) == []


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Unreachable) as caught:
        store.call_now(seen, "broker", datetime(2026, 1, 1))
    assert "without a zone" in str(caught.value.__cause__)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "state.db"
    store = open_store(f"sqlite:///{file}")
    store.call_now(seen, "broker", T0)
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    store.close()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_another_store_is_refused_with_words(url: str) -> None:
    with pytest.raises(UsageError):
        open_store(url)


def test_a_store_that_does_not_answer_is_unreachable() -> None:
    with pytest.raises(Unreachable) as caught:
        open_store("postgresql://u:marker-secret@127.0.0.1:1/x")
    assert caught.value.hint
    assert "marker-secret" not in f"{caught.value.message} {caught.value.hint}"
