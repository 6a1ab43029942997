from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.dev.running import Dev


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged account may pass; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="dbgate-dev-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def devs(open_folder: Path) -> Iterator[Callable[..., Dev]]:
    """Starts developer modes in one home; those that still run are ended after the test."""
    started: list[Dev] = []

    def start(**options: str) -> Dev:
        started.append(Dev(open_folder, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def dev(open_folder: Path) -> Iterator[Dev]:
    """A developer mode that is ready."""
    running = Dev(open_folder)
    try:
        running.wait_ready()
        yield running
    finally:
        running.end()
