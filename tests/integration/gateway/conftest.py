"""One PostgreSQL for all tests of the gateway, a gateway for each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import programs
from tests.integration.cli import authority
from tests.integration.gateway.world import TlsPostgres, World
from tests.integration.gateway.world import world as make_world


@pytest.fixture(scope="session")
def authority_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls_server(authority_files: tuple[Path, Path]) -> Iterator[TlsPostgres]:
    programs.server(tls=True)
    base = Path(tempfile.mkdtemp(prefix="dbgate-pg-"))
    try:
        server = TlsPostgres(base, authority_files[1])
        server.start()
        try:
            server.prepare()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def world(tls_server: TlsPostgres, authority_files: tuple[Path, Path]) -> Iterator[World]:
    with make_world(tls_server, *authority_files) as it:
        yield it
