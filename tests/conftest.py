"""What all tests share."""

from __future__ import annotations

from tests.programs import clients_on_path


def pytest_configure() -> None:
    clients_on_path()
