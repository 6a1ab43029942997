"""The command line's world, with npm oidc-provider as its issuer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import World, certificates, world
from tests.integration.oidc_provider.provider import Provider, installed

__all__ = ["certificates", "world"]


@pytest.fixture(scope="session")
def packages() -> Path:
    return installed()


@pytest.fixture(scope="session")
def provider(packages: Path) -> Iterator[Provider]:
    found = Provider(packages)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def hasty_provider(packages: Path) -> Iterator[Provider]:
    """Its ID tokens end so soon that each use of one renews it."""
    found = Provider(packages, id_token_s=30)
    yield found
    found.stop()


@pytest.fixture
def signing_in(world: World, provider: Provider) -> World:
    world.broker.issuer = provider.url
    return world
