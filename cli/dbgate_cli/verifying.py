"""Verification of an audit log: of a copy in a folder, or of a broker's over its API.

Nothing a broker says of itself counts, only its log's bytes. The verification key and the newest
checkpoint are remembered for each broker: next time the key must be the same, and the log must
still contain what was verified. That is what detects a log that was cut or begun again together
with its checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Final, Protocol

from dbgate_core import contract
from dbgate_core.audit import canonical, layout, note
from dbgate_core.audit.note import Checkpoint, VerificationKey
from dbgate_core.audit.verify import Report, Verifier
from dbgate_core.errors import UsageError, VerificationFailed

MAX_KEY_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Verified:
    """What `dbgate audit verify` found; `remembered` is the size that was verified before, or 0."""

    report: Report
    remembered: int = 0

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.report.origin

    @property
    def entries(self) -> int:
        """How many entries are under signed checkpoints."""
        return self.report.entries

    @property
    def checkpoints(self) -> int:
        """How many signed checkpoints were checked."""
        return self.report.checkpoints

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints."""
        return {
            "origin": self.origin,
            "entries": self.entries,
            "checkpoints": self.checkpoints,
            "root": self.report.root.hex(),
            "unsealed": self.report.unsealed,
            "segments": self.report.segments,
            "torn_bytes": self.report.torn_bytes,
            "remembered": self.remembered,
        }


class LogSource(Protocol):
    """What of a broker verification needs (`client.Broker`)."""

    url: str

    def discovery(self) -> contract.Discovery:
        """Say the log's verification key."""

    def audit_files(self) -> contract.LogFiles:
        """List the log's files."""

    def audit_file(self, name: str) -> bytes:
        """Give a file's bytes."""

    def audit_checkpoint(self) -> bytes:
        """Give a checkpoint over all that is written."""


def verify_folder(log: Path, key: Path) -> Verified:
    """Verify a copy of a log's folder with the key in a file.

    Raises UsageError when either cannot be read, VerificationFailed when the log is not whole.
    """
    wanted = VerificationKey.parse(_read(key))
    try:
        names = [path.name for path in log.iterdir() if path.is_file()]
    except OSError as exc:
        raise UsageError(f"cannot read the log's folder {log}: {exc.strerror}") from exc
    try:
        kept = _notes(_opened(log / name) for name in _numbered(names, checkpoints=True))
        verifier = Verifier(wanted, kept)
        for name in _numbered(names, checkpoints=False):
            with _opened(log / name) as file:
                verifier.segment(_number(name), _lines(file))
    except OSError as exc:
        raise UsageError(f"cannot read {exc.filename}: {exc.strerror}") from exc
    return Verified(verifier.finish())


def verify_broker(broker: LogSource, home: Path) -> Verified:
    """Verify a running broker's log, and remember how far in `home`.

    1. what was remembered, with its key; 2. a checkpoint over everything until now; 3. the files
    of checkpoints; 4. only then the segments, which can but have grown meanwhile; 5. one pass over
    all; 6. remember the checkpoint of step 2.
    """
    place = home / f"audit-{sha256(broker.url.encode()).hexdigest()[:16]}.checkpoint"
    key = VerificationKey.parse(broker.discovery().audit_public_key)
    before = _remembered(place, key)
    now = broker.audit_checkpoint()
    newest = note.opened(now, key)
    expected = [newest] if before is None else [before, newest]
    kept = [
        BytesIO(broker.audit_file(name)) for name in _numbered(_names(broker), checkpoints=True)
    ]
    verifier = Verifier(key, _notes(iter(kept)), expected)
    for name in _numbered(_names(broker), checkpoints=False):
        verifier.segment(_number(name), _lines(BytesIO(broker.audit_file(name))))
    report = verifier.finish()
    _remember(place, key, now)
    return Verified(report, before.size if before else 0)


def _remembered(place: Path, key: VerificationKey) -> Checkpoint | None:
    """The checkpoint of the last time; None the first time.

    Raises VerificationFailed when another key signed it: then this is another log.
    """
    try:
        line, _, found = place.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UsageError(f"cannot read {place}: {exc.strerror}") from exc
    if line.decode(errors="replace") != str(key):
        raise VerificationFailed(
            f"the log's key is another than before: expected {line.decode(errors='replace')},"
            f" found {key}",
            hint=f"if a new log was begun there on purpose, remove {place}",
        )
    return note.opened(found, key)


def _remember(place: Path, key: VerificationKey, checkpoint: bytes) -> None:
    """Write beside, then rename: what is remembered is never half."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = place.with_suffix(".new")
    beside.write_bytes(f"{key}\n".encode() + checkpoint)
    beside.replace(place)


def _names(broker: LogSource) -> list[str]:
    return [file.name for file in broker.audit_files().files]


def _numbered(names: list[str], *, checkpoints: bool) -> list[str]:
    """The log's files of one kind, in order; any other file is passed over."""
    number = layout.checkpoints_number if checkpoints else layout.segment_number
    return sorted(name for name in names if number(name) is not None)


def _number(name: str) -> int:
    return layout.segment_number(name) or 0


def _notes(files: Iterator[IO[bytes]]) -> Iterator[bytes]:
    for file in files:
        with file:
            yield from note.split(_lines(file))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, none of them longer than a byte over the limit."""
    return iter(lambda: file.readline(canonical.MAX_LINE_BYTES + 1), b"")


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_BYTES).decode()
    except OSError as exc:
        raise UsageError(f"cannot read the key {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"not a verification key: {path}") from exc
