from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dbgate_broker.store.engine import Store, open_store
from tests.integration.credentials.servers import PASSWORD, Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind: one contract for both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'state.db'}"
    running: Postgres = request.getfixturevalue("server")
    name = f"state_{uuid4().hex}"
    running.query(f"create database {name}")
    return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{running.port}/{name}?sslmode=disable"


@pytest.fixture
def store(state_url: str) -> Iterator[Store]:
    opened = open_store(state_url)
    yield opened
    opened.close()
