"""The audit log of a broker: the Recorder that everything acts through, and what is read of it.

On disk (docs/audit.md): segments of canonical JSON lines, files of signed checkpoints, one lock.
Nothing in the folder is ever overwritten or removed. The search index lies beside the folder and
is derived: it may be deleted at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dbgate_broker.audit import keys
from dbgate_broker.audit.files import Folder, unavailable
from dbgate_broker.audit.index import Index
from dbgate_broker.audit.indexer import Indexer
from dbgate_broker.audit.keeper import Checkpoints, Keeper
from dbgate_broker.audit.recovery import Resumed, resume
from dbgate_broker.audit.search import AuditQuery, Search
from dbgate_broker.audit.writer import SEGMENT_BYTES, Writer
from dbgate_broker.config import AuditConfig
from dbgate_core.audit.chain import Chain
from dbgate_core.audit.merkle import EMPTY_ROOT
from dbgate_core.audit.note import Checkpoint
from dbgate_core.contract import AuditPage, LogFiles
from dbgate_core.errors import AuditUnavailable, VerificationFailed


def now_us() -> int:
    """The system's clock, in microseconds since 1970."""
    return time.time_ns() // 1000


class AuditLog:
    """An open log. Every method may be called by any thread; searches take disk time."""

    def __init__(
        self, folder: Folder, signer: keys.Signer, clock_us: Callable[[], int], segment_bytes: int
    ) -> None:
        """Use `AuditLog.open`."""
        self._folder = folder
        self.public_key = str(signer.key)
        checkpoints = Checkpoints(folder)
        found = resume(folder, signer.key) or _first(signer, checkpoints)
        self._writer = Writer(folder, found, clock_us, segment_bytes)
        self._keeper = Keeper(self._writer, signer, checkpoints, found.sealed, found.note)
        place = folder.path.with_name(f"{folder.path.name}-index.sqlite")
        self._index = Index(folder, place, self.public_key)
        self._indexer = Indexer(self._index)
        self._search = Search(self._index)
        self._closed = False
        self.failures = 0
        self.on_failure: Callable[[AuditUnavailable], None] = lambda exc: None

    @classmethod
    def open(
        cls,
        config: AuditConfig,
        clock_us: Callable[[], int] = now_us,
        *,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> AuditLog:
        """Open the log, or begin one; the signing key is made with a new log.

        Raises UsageError when another process writes to it or the key is unusable,
        VerificationFailed when the log is not what this key signed, AuditUnavailable when it
        cannot be written.
        """
        folder = Folder(config.directory)
        try:
            return cls(folder, _signer(folder, config), clock_us, segment_bytes)
        except BaseException:
            folder.close()
            raise

    @property
    def written(self) -> int:
        """How many entries survive the process."""
        return self._writer.size

    @property
    def durable(self) -> int:
        """How many entries survive a power failure."""
        return self._keeper.durable

    @property
    def sealed(self) -> int:
        """How many entries are under a signed checkpoint."""
        return self._keeper.sealed

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Write one entry (recorder.Recorder): on return it is *written*; its index."""
        try:
            index = self._writer.append(kind, fields)
        except AuditUnavailable as exc:
            self.failures += 1
            self.on_failure(exc)
            raise
        if self._keeper.resting:
            self._keeper.wake()
        return index

    def search(self, query: AuditQuery, cursor: str = "", limit: int = 200) -> AuditPage:
        """Entries that match, in log order; it finds what was appended before the call.

        The end of a statement comes with its beginning. Raises UsageError for a bad cursor.
        """
        return self._search.find(query, cursor, limit)

    def session(self, session_id: str, cursor: str = "") -> AuditPage:
        """Every entry of a session, in log order."""
        return self._search.session(session_id, cursor)

    def files(self) -> LogFiles:
        """The log's files: segments, then checkpoints."""
        return LogFiles(files=self._folder.listing())

    def read_file(self, name: str) -> Path:
        """The path of one of these files. Raises NotFound for any other name."""
        return self._folder.file(name)

    def checkpoint(self) -> bytes:
        """A signed checkpoint over everything that was written before the call."""
        return self._keeper.seal()

    def close(self) -> None:
        """Seal, stop, give the lock up. Appends raise AuditUnavailable afterwards."""
        if self._closed:
            return
        self._closed = True
        self._indexer.close()
        self._index.close()
        try:
            self._keeper.close()
        finally:
            self._writer.close()
            self._folder.close()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _signer(folder: Folder, config: AuditConfig) -> keys.Signer:
    """The log's key; a new one only where there is nothing that another one signed."""
    if config.signing_key.exists():
        return keys.load(config.signing_key, config.origin)
    if folder.segments() or folder.checkpoint_files():
        raise VerificationFailed(
            f"there is an audit log in {folder.path}, but its signing key"
            f" {config.signing_key} is missing",
            hint="bring the key back, or give audit.directory another folder to begin a new log",
        )
    return keys.make(config.signing_key, config.origin)


def _first(signer: keys.Signer, checkpoints: Checkpoints) -> Resumed:
    """Begin a log with a checkpoint of no entries, so that segments without one are suspect."""
    empty = Checkpoint(signer.key.name, 0, EMPTY_ROOT)
    note = signer.sign(empty)
    try:
        checkpoints.append(note)
    except OSError as exc:
        raise unavailable(exc, "a checkpoint cannot be written") from exc
    return Resumed(Chain(), 0, whole=False, torn=[], sealed=empty, note=note)
