"""Keys of several versions: the newest masks, and its tokens say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbgate_broker.masking_keys import KEY_BYTES, newest_key
from dbgate_core.errors import UsageError


def test_the_first_is_made_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "masking-key"
    one, again = newest_key(file), newest_key(file)
    assert (one.version, one.mark) == (1, "")
    assert len(file.read_bytes()) == KEY_BYTES
    assert one.token("email", b"x") == again.token("email", b"x")


def test_the_newest_masks(tmp_path: Path) -> None:
    file = tmp_path / "masking-key"
    first = newest_key(file)
    for version in (2, 10, 9):
        (tmp_path / f"masking-key.{version}").write_bytes(bytes([version]) * KEY_BYTES)
    newest = newest_key(file)
    assert newest.version == 10
    assert newest.token("email", b"x").startswith("v10.")
    assert newest.derive("email", b"x") != first.derive("email", b"x")
    for older in ("masking-key", "masking-key.2", "masking-key.9"):
        (tmp_path / older).unlink()
    assert newest_key(file).token("email", b"x") == newest.token("email", b"x")


def test_other_files_beside_it_are_no_keys(tmp_path: Path) -> None:
    for name in ("masking-key.old", "masking-key.1", "other.2", "masking-key2", "x.masking-key.3"):
        (tmp_path / name).write_bytes(b"x")
    assert newest_key(tmp_path / "masking-key").version == 1


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_newest_key_that_is_none_stops_the_start(tmp_path: Path, content: bytes) -> None:
    newest_key(tmp_path / "masking-key")
    (tmp_path / "masking-key.2").write_bytes(content)
    with pytest.raises(UsageError, match="masking key"):
        newest_key(tmp_path / "masking-key")


def test_a_newest_key_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    newest_key(tmp_path / "masking-key")
    (tmp_path / "masking-key.2").mkdir()
    with pytest.raises(UsageError, match=r"masking-key\.2"):
        newest_key(tmp_path / "masking-key")
    (tmp_path / "masking-key.1000").write_bytes(b"k" * KEY_BYTES)
    with pytest.raises(UsageError, match="version 1000"):
        newest_key(tmp_path / "masking-key")
