"""Policy folders of the broker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbgate_broker import policies
from dbgate_broker.policies import SHIPPED, read_policies, shipped
from dbgate_core.errors import UsageError
from dbgate_core.policy.bounds import MAX_FILE_CHARS
from tests.unit.policy.people import ALICE, DEVELOPMENT, EVERYTHING, POLICIES


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_are_found_and_load(name: str) -> None:
    assert shipped(name) == POLICIES / name
    assert read_policies(shipped(name)).rules


@pytest.mark.parametrize("name", ["", "..", "default/..", "/etc", "strict"])
def test_nothing_else_is_shipped(name: str) -> None:
    with pytest.raises(UsageError, match="no shipped policy"):
        shipped(name)


def test_an_installed_wheel_has_them_under_its_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share" / "dbgate"
    share.mkdir(parents=True)
    (share / "policies").symlink_to(POLICIES)
    package = tmp_path / "lib" / "site-packages" / "dbgate_broker" / "policies.py"
    monkeypatch.setattr(policies, "__file__", str(package))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert shipped("default") == share / "policies" / "default"
    (share / "policies").unlink()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr("site.getuserbase", lambda: str(tmp_path))
    with pytest.raises(UsageError, match="missing"):
        shipped("default")


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "rules.cedar").write_text(EVERYTHING)
    (tmp_path / "README.md").write_text("why")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".rules.cedar.swp").write_bytes(b"\xff")
    (tmp_path / "old").mkdir()
    assert read_policies(tmp_path).connect(ALICE, DEVELOPMENT, "readonly").allowed


def test_what_is_wrong_in_a_folder_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "bad.cedar").write_text("permit(")
    with pytest.raises(UsageError) as caught:
        read_policies(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "bad.cedar" in caught.value.message


def test_a_misspelt_file_is_refused_and_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "rules.cedar").write_text(EVERYTHING)
    (tmp_path / "forbid-drop.ceder").write_text("")
    with pytest.raises(UsageError, match=r"forbid-drop\.ceder"):
        read_policies(tmp_path)


def test_folders_that_hold_no_policies(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(UsageError, match="holds no"):
        read_policies(tmp_path)
    with pytest.raises(UsageError, match="cannot read"):
        read_policies(tmp_path / "missing")
    with pytest.raises(UsageError, match="cannot read"):
        read_policies(tmp_path / "notes.md")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"/" * (4 * MAX_FILE_CHARS + 1)])
def test_files_that_are_no_text_or_too_large(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.cedar").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.cedar"):
        read_policies(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_refuses_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text(EVERYTHING)
    (tmp_path / "b.cedar").write_text(EVERYTHING)
    (tmp_path / "b.cedar").chmod(0)
    with pytest.raises(UsageError, match=r"b\.cedar"):
        read_policies(tmp_path)


def test_a_dangling_link_refuses_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text(EVERYTHING)
    (tmp_path / "b.cedar").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match=r"b\.cedar"):
        read_policies(tmp_path)
