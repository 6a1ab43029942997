"""The limit of open files grows when it is needed, and no further than it may."""

from __future__ import annotations

import resource

import pytest

from dbgate_cli.descriptors import SPARE, make_room, most
from dbgate_cli.tunnel import FILES_EACH, MAX_CONNECTIONS, most_connections


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: found.append(both))
    return found


def test_what_there_is_room_for_changes_nothing(limits: list[tuple[int, int]]) -> None:
    assert make_room(1024 - SPARE) is None
    assert len(limits) == 1


def test_the_soft_limit_grows_up_to_the_hard_one(limits: list[tuple[int, int]]) -> None:
    assert make_room(1025 - SPARE) is None
    assert limits[-1] == (2050, 4096)
    assert make_room(4096 - SPARE) is None
    assert limits[-1] == (4096, 4096)


def test_beyond_the_hard_limit_there_is_no_room(limits: list[tuple[int, int]]) -> None:
    assert make_room(4097 - SPARE) == 4096
    assert len(limits) == 1


def test_the_hard_limit_says_how_many_connections_there_can_be(
    limits: list[tuple[int, int]],
) -> None:
    assert most() == 4096 - SPARE
    assert most_connections() == (4096 - SPARE) // FILES_EACH
    limits[:] = [(64, 128)]
    assert most() == most_connections() == 0
    limits[:] = [(64, resource.RLIM_INFINITY)]
    assert most() is None
    assert most_connections() == MAX_CONNECTIONS


def test_without_a_hard_limit_there_is_room(limits: list[tuple[int, int]]) -> None:
    limits[:] = [(1024, resource.RLIM_INFINITY)]
    assert make_room(100_000) is None
    assert limits[-1][0] >= 100_000 + SPARE
