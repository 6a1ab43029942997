"""Key files: read, or made once with mode 0600 when there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dbgate_core.errors import UsageError


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes; of two that make it at once, both get what the first one wrote.

    Written beside, synced, then linked into place, so that a crash leaves no half a key. Raises
    UsageError when it cannot be read or written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _publish(path, make())
        return path.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read or make the key file {path}: {exc.strerror}") from exc


def _publish(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
