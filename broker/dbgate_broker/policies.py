"""Policy folders: the shipped ones found, any of them read."""

from __future__ import annotations

import site
import sys
import sysconfig
from pathlib import Path
from typing import Final

from dbgate_core.errors import UsageError
from dbgate_core.policy import Policies
from dbgate_core.policy.bounds import MAX_FILE_CHARS
from dbgate_core.policy.folder import SCHEMA, rule_files

SHIPPED: Final = ("default", "permissive")


def shipped(name: str) -> Path:
    """The folder of a shipped policy. Raises UsageError when there is no such one."""
    if name not in SHIPPED:
        raise UsageError(
            f"there is no shipped policy {name!r}",
            hint=f"there are {' and '.join(SHIPPED)}; a path names a folder of your own",
        )
    return _root() / name


def read_policies(directory: Path) -> Policies:
    """The policies of a folder's `*.cedar` files, checked against the shipped schema.

    Raises UsageError that names the folder and all that is wrong in it.
    """
    files = {path.name: _text(path) for path in _cedar_files(directory)}
    try:
        return Policies.load(files, _text(_root() / SCHEMA))
    except UsageError as exc:
        raise UsageError(f"{directory}: {exc.message}", hint=exc.hint) from exc


def _cedar_files(directory: Path) -> list[Path]:
    try:
        files = [path.name for path in directory.iterdir() if not path.is_dir()]
    except OSError as exc:
        raise UsageError(
            f"cannot read the policy folder {directory}: {exc.strerror}",
            hint="policy_directory names a folder of .cedar files",
        ) from exc
    return [directory / name for name in rule_files(str(directory), files)]


def _text(path: Path) -> str:
    """A file's text. At most four bytes make a character, so the read is bounded."""
    limit = 4 * MAX_FILE_CHARS
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise UsageError(f"{path} is larger than {limit} bytes")
        return data.decode("utf-8")
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path} is not UTF-8 text") from exc


def _root() -> Path:
    """The folder of what is shipped: of a checkout, else of the installation."""
    installed = Path("share") / "dbgate" / "policies"
    candidates = [
        Path(__file__).parents[2] / "policies",
        Path(sysconfig.get_path("data")) / installed,
        Path(sys.prefix) / installed,
        Path(site.getuserbase()) / installed,
    ]
    for candidate in candidates:
        if (candidate / SCHEMA).is_file():
            return candidate
    raise UsageError(
        "the shipped policies are missing",
        hint="reinstall dbgate, or name a folder by policy_directory",
    )
