"""Whom PostgreSQL runs as: it refuses root, so root gives it an account without rights."""

from __future__ import annotations

import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dbgate_broker.dev import files
from dbgate_core.errors import UsageError

CANDIDATES: Final = ("nobody", "daemon", "postgres")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group by number."""

    uid: int
    gid: int

    def own(self, *paths: Path) -> None:
        """Give files or folders to the account."""
        for path in paths:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def unprivileged() -> Account | None:
    """The account to drop to; None when we are not root. Raises UsageError when none exists."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise UsageError(
        f"PostgreSQL does not run as root, and there is no account {' or '.join(CANDIDATES)}",
        hint="run dbgate dev as an ordinary user",
    )


def reaches(account: Account | None, path: Path) -> bool:
    """Whether the account may pass every folder on the way to `path`."""
    if account is None:
        return True
    return all(_passes(account, folder) for folder in path.resolve().parents)


def _passes(account: Account, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & 0o100)
    if found.st_gid == account.gid:
        return bool(found.st_mode & 0o010)
    return bool(found.st_mode & 0o001)


def place_for(account: Account | None, wanted: Path, note: Path) -> Path:
    """A folder of the account's own: `wanted`, or where it cannot be reached, one in /var/tmp.

    The latter is remembered in `note`, so that the next start finds its data again.
    """
    if note.exists():
        place = Path(note.read_text().strip())
        if place.is_dir() and (account is None or place.stat().st_uid == account.uid):
            return place
    if reaches(account, wanted):
        wanted.mkdir(mode=0o700, exist_ok=True)
        place = wanted
    else:
        place = Path(tempfile.mkdtemp(prefix="dbgate-dev-", dir="/var/tmp"))
        files.write(note, f"{place}\n".encode())
    if account is not None:
        account.own(place)
    return place
