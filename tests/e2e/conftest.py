"""One developer mode for all end-to-end tests: real PostgreSQL, OpenBao, OIDC issuer and broker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.demo.stage import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed (Debian: postgresql-client)")
    with Stage() as running:
        yield running
