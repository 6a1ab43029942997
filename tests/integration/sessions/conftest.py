from collections.abc import Iterator
from pathlib import Path

import pytest

from dbgate_broker.store.engine import Store
from tests.integration.sessions.world import new_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path)
    yield opened
    opened.close()
