"""Open files: the soft limit grows, and what does not fit is known beforehand."""

from __future__ import annotations

import resource

import pytest

from dbgate_broker.gateway import descriptors
from dbgate_broker.gateway.descriptors import EACH, SPARE, plan

NEEDED = 100 * EACH + SPARE


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        pytest.param(16, 10 * NEEDED, (NEEDED, 100), id="grows to what is needed"),
        pytest.param(NEEDED, NEEDED, (NEEDED, 100), id="enough as it is"),
        pytest.param(2 * NEEDED, 3 * NEEDED, (2 * NEEDED, 100), id="never made smaller"),
        pytest.param(16, NEEDED - 2, (NEEDED - 2, 99), id="the hard limit bounds both"),
        pytest.param(16, SPARE - 1, (SPARE - 1, 0), id="nothing is left for connections"),
        pytest.param(16, resource.RLIM_INFINITY, (NEEDED, 100), id="no hard limit"),
        pytest.param(
            resource.RLIM_INFINITY,
            resource.RLIM_INFINITY,
            (resource.RLIM_INFINITY, 100),
            id="no limit",
        ),
    ],
)
def test_the_plan(soft: int, hard: int, expected: tuple[int, int]) -> None:
    assert plan(100, soft, hard) == expected


def test_what_does_not_fit_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (64, NEEDED - 2))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: made.append(limits))
    assert descriptors.make_room(100) == 99
    assert made == [(NEEDED - 2, NEEDED - 2)]
    assert "at most 99 connections, not 100" in caplog.text
