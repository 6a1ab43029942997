"""Files of the home: written whole or not at all, secrets readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dbgate_core.secret import Secret

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644


def write(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Replace a file: written beside it with its mode from the start, synced, renamed."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)  # the umask may have taken bits of a public file
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def keep(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read a secret file; make it at first use. Its mode is put right when it was changed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = make()
        write(path, data)
        return data
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE)
    return data


def keep_password(path: Path) -> Secret:
    """A random password of 256 bit that stays the same for this home."""
    return Secret(keep(path, lambda: secrets.token_urlsafe(32).encode()).decode().strip())
