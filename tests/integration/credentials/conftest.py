"""One PostgreSQL and one OpenBao for the tests of credentials and of whole sessions."""

from collections.abc import Iterator

import pytest

from tests.integration.credentials.servers import OpenBao, Postgres, openbao, postgres


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def bao() -> Iterator[OpenBao]:
    with openbao() as running:
        yield running
