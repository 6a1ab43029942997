"""A gateway before a server of each version."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli import authority
from tests.integration.gateway.world import TlsPostgres, World
from tests.integration.gateway.world import world as make_world
from tests.integration.versions import servers


@pytest.fixture(scope="session")
def authority_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session", params=servers.MAJORS)
def versioned(
    request: pytest.FixtureRequest, authority_files: tuple[Path, Path]
) -> Iterator[TlsPostgres]:
    found = servers.server(request.param)
    base = Path(tempfile.mkdtemp(prefix=f"dbgate-pg{request.param}-"))
    try:
        server = TlsPostgres(base, authority_files[1], found)
        server.start()
        try:
            server.prepare()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def world(versioned: TlsPostgres, authority_files: tuple[Path, Path]) -> Iterator[World]:
    with make_world(versioned, *authority_files) as it:
        yield it
