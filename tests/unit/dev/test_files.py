from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbgate_broker.dev import files
from dbgate_broker.dev.home import Home
from dbgate_core.errors import UsageError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_written_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        files.write(tmp_path / "a", b"x")
    finally:
        os.umask(old)
    assert mode(tmp_path / "a") == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_link_in_the_place_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    files.write(tmp_path / "a", b"x")
    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert not (tmp_path / "a").is_symlink()


def test_what_is_kept_is_made_once_and_closed_again(tmp_path: Path) -> None:
    first = files.keep(tmp_path / "k", lambda: os.urandom(16))
    (tmp_path / "k").chmod(0o644)
    assert files.keep(tmp_path / "k", lambda: os.urandom(16)) == first
    assert mode(tmp_path / "k") == 0o600


def test_a_password_is_long_and_stays(tmp_path: Path) -> None:
    first = files.keep_password(tmp_path / "p")
    assert len(first.expose()) >= 43
    assert files.keep_password(tmp_path / "p") == first


def test_the_home_is_closed_and_locked_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "dev")
    home.make()
    assert mode(home.root) & 0o066 == 0
    assert mode(home.root / "secrets") == 0o700
    taken = pytest.raises(UsageError, match=f"already runs.*process {os.getpid()}")
    with home.lock(), taken, home.lock():
        pass
    with home.lock():
        pass


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot make the home"):
        Home(tmp_path / "file" / "dev").make()
