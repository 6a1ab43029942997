"""Makes what is written durable and sealed, beside the statements rather than before them.

A thread of its own syncs some 10 ms after the first write that is not durable yet, for all that came
in between, and signs a checkpoint about every second in which entries came.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Final

from dbgate_broker.audit.files import Appender, Folder, TornWrite, ends_whole, unavailable
from dbgate_broker.audit.keys import Signer
from dbgate_broker.audit.writer import SEGMENT_BYTES, Writer
from dbgate_core.audit.note import Checkpoint
from dbgate_core.errors import AuditUnavailable

SYNC_INTERVAL_S: Final = 0.010
"""The most that a power failure takes: entries written within this time (and one sync)."""
SEAL_INTERVAL_S: Final = 1.0


class Checkpoints:
    """The kept checkpoints: a file that grows, another when it is full or was torn."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._file: Appender | None = None

    def append(self, note: bytes) -> None:
        """Keep a note, durable. Raises OSError; the next call then begins a new file."""
        if self._file is None:
            self._file = self._open()
        try:
            self._file.append(note + b"\n")
            self._file.sync()
        except OSError as exc:
            if not (isinstance(exc, TornWrite) and exc.written == 0):
                self.close()
            raise
        if self._file.size_bytes >= SEGMENT_BYTES:
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> Appender:
        last = max(self._folder.checkpoint_files(), default=0)
        path = self._folder.checkpoints(last)
        if last and path.stat().st_size < SEGMENT_BYTES and ends_whole(path):
            return Appender(path, new=False)
        return Appender(self._folder.checkpoints(last + 1), new=True)


class Keeper:
    """Syncs and seals a writer's entries. `durable` and `sealed` are sizes of the log.

    While it is `resting` it must be woken for what is written.
    """

    def __init__(
        self,
        writer: Writer,
        signer: Signer,
        checkpoints: Checkpoints,
        sealed: Checkpoint,
        note: bytes,
    ) -> None:
        self.durable = sealed.size
        self.sealed = sealed.size
        self._writer = writer
        self._signer = signer
        self._checkpoints = checkpoints
        self._note = note
        self._lock = Lock()
        self._tried = -1
        self._lost = False
        self.resting = False
        self._wake = Event()
        self._stopped = False
        self._thread = Thread(target=self._run, name="audit-keeper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was written, and the thread rests."""
        self.resting = False
        self._wake.set()

    def seal(self) -> bytes:
        """The newest checkpoint, over everything written before the call.

        Raises AuditUnavailable when it cannot be signed durably.
        """
        with self._lock:
            if self._lost:
                raise AuditUnavailable("the audit log's disk failed: what it lost is not sealed")
            size, root, fd = self._writer.head()
            self._sync(size, fd)
            if size > self.sealed:
                note = self._signer.sign(Checkpoint(self._signer.key.name, size, root))
                try:
                    self._checkpoints.append(note)
                except OSError as exc:
                    raise unavailable(exc, "a checkpoint cannot be written") from exc
                self.sealed, self._note = size, note
            return self._note

    def close(self) -> None:
        """Seal what there is and stop."""
        self._stopped = True
        self._wake.set()
        self._thread.join()
        try:
            if not self._lost:
                self.seal()
        finally:
            self._checkpoints.close()

    def _run(self) -> None:
        due = time.monotonic() + SEAL_INTERVAL_S
        while not self._stopped:
            if self._writer.size == self._tried:
                self._rest(due)
            else:
                time.sleep(SYNC_INTERVAL_S)
                self._tried = self._writer.size  # a failure is not tried again before the next one
                with suppress(AuditUnavailable):
                    self._sync(*self._writer.mark())
            if time.monotonic() >= due:
                with suppress(AuditUnavailable):  # tried again in a second; appends say so too
                    self.seal()
                due = time.monotonic() + SEAL_INTERVAL_S

    def _rest(self, due: float) -> None:
        """Wait for the next entry, or until what was written is to be sealed."""
        self.resting = True
        if self._writer.size == self._tried and not self._stopped:
            behind = self.sealed < self._tried
            self._wake.wait(max(0.0, due - time.monotonic()) if behind else None)
        self.resting = False
        self._wake.clear()

    def _sync(self, size: int, fd: int) -> None:
        """fdatasync, and close the descriptor.

        A failure shuts the log: it may have lost entries, and the next fdatasync would not say so.
        """
        try:
            os.fdatasync(fd)
        except OSError as exc:
            self._lost = True
            self._writer.fail(f"the audit log's disk failed: {exc.strerror}")
            raise unavailable(exc, "the audit log's disk failed") from exc
        finally:
            os.close(fd)
        self.durable = max(self.durable, size)
