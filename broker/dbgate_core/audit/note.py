"""Checkpoints: signed tree heads in the forms of C2SP `signed-note` and `tlog-checkpoint`.

    dbgate                                          origin, which is the key's name too
    1742                                            number of entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root of the Merkle tree over them
                                                    (blank)
    — dbgate Az3grlgtzPICa5OS8npV...                4 bytes of key hash, 64 of Ed25519 signature

The signature is over the text with its last line break, without the blank line. Files of
checkpoints hold notes one after the other, each followed by a blank line.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from dbgate_core.audit import ed25519
from dbgate_core.audit.merkle import HASH_BYTES
from dbgate_core.errors import UsageError, VerificationFailed

ED25519: Final = b"\x01"
"""The algorithm's byte in a key, after C2SP signed-note."""
KEY_HASH_BYTES: Final = 4
MAX_NOTE_BYTES: Final = 16 * 1024
"""A checkpoint has some 200 bytes; witnesses may add signature lines."""
_DASH: Final = "— ".encode()


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A log's public key: `name+hash+base64`, where hash is 8 hex digits."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerificationKey:
        """Read a key. Raises UsageError when it is malformed or its hash is another key's."""
        name, _, rest = text.strip().partition("+")
        digits, _, encoded = rest.partition("+")
        try:
            data = b64decode(encoded, validate=True)
            found = cls(checked_name(name), data[1:])
        except (binascii.Error, ValueError) as exc:
            raise _bad_key(text) from exc
        if data[:1] != ED25519 or len(data) != 1 + ed25519.KEY_BYTES:
            raise _bad_key(text)
        if found.key_hash.hex() != digits:
            raise _bad_key(text)
        return found

    @property
    def key_hash(self) -> bytes:
        """What a signature line names the key by: 4 bytes."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_HASH_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log `origin` has `size` entries, and their root is `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()


def checked_name(name: str) -> str:
    """Give the name back. Raises ValueError when it can be no key's name."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise ValueError(f"a log's name has no blanks and no plus sign, and is not empty: {name!r}")
    return name


def signed(checkpoint: Checkpoint, key: VerificationKey, signature: bytes) -> bytes:
    """The note: the checkpoint's text and one signature line."""
    line = f"— {key.name} {b64encode(key.key_hash + signature).decode()}\n"
    return checkpoint.text() + b"\n" + line.encode()


def opened(note: bytes, key: VerificationKey) -> Checkpoint:
    """The checkpoint in a note that `key` signed. Raises VerificationFailed for any other.

    Signature lines of other keys (witnesses) are passed over. One by this key that does not fit
    the text fails, whatever other lines say.
    """
    text, blank, lines = note.partition(b"\n\n")
    text += b"\n"
    if not blank or not lines.endswith(b"\n") or len(note) > MAX_NOTE_BYTES:
        raise VerificationFailed("a checkpoint is not a signed note")
    ours = [
        s for s in map(_signature, lines[:-1].split(b"\n")) if s[:2] == (key.name, key.key_hash)
    ]
    if not ours:
        raise VerificationFailed(
            f"a checkpoint is not signed by {key.name}+{key.key_hash.hex()}",
            hint="is this the key of this log?",
        )
    if not all(ed25519.verify(key.public, text, signature) for *_, signature in ours):
        raise VerificationFailed(f"the signature of a checkpoint is wrong: {_shown(text)}")
    return _checkpoint(text, key)


def split(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The whole notes of a file, given its lines. What a crash cut short at the end is no note.

    Raises VerificationFailed when one is too long to be a note.
    """
    note, blanks = b"", 0
    for line in lines:
        if line == b"\n":
            blanks += 1
        if blanks == 2:
            yield note
            note, blanks = b"", 0
            continue
        note += line
        if len(note) > MAX_NOTE_BYTES:
            raise VerificationFailed("a file of checkpoints holds something else")


def _checkpoint(text: bytes, key: VerificationKey) -> Checkpoint:
    try:
        origin, size, root, *_ = text.decode().split("\n")
        if not (size.isascii() and size.isdigit()) or str(int(size)) != size:
            raise ValueError(size)
        found = Checkpoint(origin, int(size), b64decode(root, validate=True))
    except ValueError as exc:
        raise VerificationFailed(f"a signed note is no checkpoint: {_shown(text)}") from exc
    if len(found.root) != HASH_BYTES or found.origin != key.name:
        raise VerificationFailed(f"a checkpoint is another log's: {_shown(text)}")
    return found


def _signature(line: bytes) -> tuple[str, bytes, bytes]:
    """Name, key hash and signature of a signature line. Raises VerificationFailed for another."""
    try:
        if not line.startswith(_DASH):
            raise ValueError("no dash")
        name, _, encoded = line[len(_DASH) :].decode().partition(" ")
        data = b64decode(encoded, validate=True)
    except ValueError as exc:
        raise VerificationFailed("a checkpoint has a line that is no signature") from exc
    return name, data[:KEY_HASH_BYTES], data[KEY_HASH_BYTES:]


def _shown(text: bytes) -> str:
    return repr(text[:120].decode(errors="replace"))


def _bad_key(text: str) -> UsageError:
    return UsageError(
        f"not a verification key: {text.strip()[:100]!r}",
        hint="it reads name+hash+base64; `dbgate audit key` prints it",
    )
