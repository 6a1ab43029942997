from collections.abc import Iterator
from pathlib import Path

import pytest

from dbgate_broker.store.engine import Store
from tests.integration.credentials.estate import Estate
from tests.integration.credentials.servers import openbao, postgres
from tests.integration.sessions.world import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Vault and PostgreSQL, set up as docs/vault.md says."""
    with postgres() as database, openbao() as bao:
        yield Estate(bao, database, tmp_path_factory.mktemp("estate"))
