"""Key files are private, made once, and never replaced."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from dbgate_broker.files import read_or_make
from dbgate_core.errors import UsageError


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "mask.key"
    assert read_or_make(file, lambda: b"first") == b"first"
    assert read_or_make(file, lambda: b"second") == b"first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["mask.key"]


def test_a_file_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UsageError, match=r"mask\.key"):
        read_or_make(tmp_path / "file" / "mask.key", lambda: b"x")


def test_it_is_never_half_written(tmp_path: Path) -> None:
    file, numbers = tmp_path / "mask.key", count()

    def fail() -> bytes:
        next(numbers)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_or_make(file, fail)
    assert not list(tmp_path.iterdir())


def test_those_that_come_later_get_the_first(tmp_path: Path) -> None:
    file = tmp_path / "mask.key"
    read_or_make(file, lambda: b"first")
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda n: read_or_make(file, lambda: b"%d" % n), range(16)))
    assert found == {b"first"}
