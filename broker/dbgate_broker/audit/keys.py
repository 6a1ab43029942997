"""The log's Ed25519 signing key: a PEM file (PKCS #8) of the broker alone."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dbgate_broker.audit.files import sync_folder, write_all
from dbgate_core.audit.note import Checkpoint, VerificationKey, checked_name, signed
from dbgate_core.errors import UsageError

OTHERS: int = 0o007


class Signer:
    """Signs checkpoints. `key` is its public half, under the log's name."""

    def __init__(self, private: Ed25519PrivateKey, origin: str) -> None:
        """Raises UsageError when `origin` cannot be a log's name."""
        try:
            self.key = VerificationKey(
                checked_name(origin), private.public_key().public_bytes_raw()
            )
        except ValueError as exc:
            raise UsageError(f"audit.origin: {exc}") from exc
        self._private = private

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The checkpoint as a signed note."""
        return signed(checkpoint, self.key, self._private.sign(checkpoint.text()))


def load(path: Path, origin: str) -> Signer:
    """Read the key. Raises UsageError when it is missing, no Ed25519 key, or open to others."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(64 * 1024)
    except OSError as exc:
        raise UsageError(f"cannot read the audit log's signing key {path}: {exc.strerror}") from exc
    if mode & OTHERS:
        raise UsageError(
            f"the audit log's signing key {path} is open to every user of this machine",
            hint=f"chmod 600 {path}",
        )
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise UsageError(f"the audit log's signing key {path} is not a plain PEM key") from exc
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(f"the audit log's signing key {path} is not an Ed25519 key")
    return Signer(private, origin)


def make(path: Path, origin: str) -> Signer:
    """Make a key. The file is 0600, whole on disk before this returns, and never overwritten.

    1. write it beside, 2. sync it, 3. link it to its name (fails when there is one), 4. remove the
    other name, 5. sync the folder.
    """
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            write_all(fd, pem)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.link(beside, path)
        beside.unlink()
        sync_folder(path.parent)
    except OSError as exc:
        raise UsageError(
            f"cannot write the audit log's signing key {path}: {exc.strerror}"
        ) from exc
    return Signer(private, origin)
