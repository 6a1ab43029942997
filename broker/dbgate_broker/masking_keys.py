"""The masking keys of a deployment: one file for each version, the newest masks.

The first version is the configured file itself, made at the first start; version N is the file
beside it whose name ends in `.N`. Keys that are not the newest are not read: nothing is unmasked by
them. Who made tokens with one and wants them compared keeps it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from dbgate_broker.files import read_or_make
from dbgate_core.errors import UsageError
from dbgate_core.masking.key import MaskKey

KEY_BYTES: Final = 32


def newest_key(path: Path) -> MaskKey:
    """The key of the highest version. Raises UsageError for one that cannot be read, or is too short."""
    version, file = max(_later(path), default=(1, path))
    if version > 1:
        return MaskKey(_read(file), version)
    return MaskKey(read_or_make(path, lambda: secrets.token_bytes(KEY_BYTES)))


def _later(path: Path) -> list[tuple[int, Path]]:
    """The files of versions from 2 on."""
    try:
        beside = list(path.parent.glob("*"))
    except OSError as exc:
        raise UsageError(f"cannot look for masking keys in {path.parent}: {exc.strerror}") from exc
    found = []
    for file in beside:
        stem, _, number = file.name.rpartition(".")
        if stem == path.name and number.isascii() and number.isdigit() and int(number) > 1:
            found.append((int(number), file))
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read the masking key {file}: {exc.strerror}") from exc
