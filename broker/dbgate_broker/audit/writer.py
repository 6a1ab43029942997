"""The one that appends: entries to the current segment, a new segment when one is full or torn.

States, in these words: when `append` returns the entry is *written* (it survives the process).
It is *durable* after the next fdatasync and *sealed* by the next checkpoint (keeper.py).

A write that fails half-way leaves bytes that are no entry. They stay: the next entry opens a new
segment, and its first entry sets them aside by length and hash.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from threading import Lock
from typing import Final

from dbgate_broker.audit.files import Appender, Folder, TornWrite, unavailable
from dbgate_broker.audit.recovery import Resumed
from dbgate_core.audit import canonical
from dbgate_core.audit.canonical import OWN_KINDS, RESERVED, Torn
from dbgate_core.audit.form import Filled
from dbgate_core.errors import AuditUnavailable, UsageError
from dbgate_core.native import entered, timestamp

SEGMENT_BYTES: Final = 64 * 1024 * 1024
"""A segment is closed at this size: some 150,000 statements, a second of verification."""


class Writer:
    """Thread-safe. After a failure of the disk's own (fdatasync) it stays shut until a restart."""

    def __init__(
        self, folder: Folder, found: Resumed, clock_us: Callable[[], int], segment_bytes: int
    ) -> None:
        """Go on where the log stands. `clock_us` gives microseconds since 1970.

        Raises AuditUnavailable when it cannot be written.
        """
        self._lock = Lock()
        self._folder = folder
        self._clock_us = clock_us
        self._segment_bytes = segment_bytes
        self._chain = found.chain
        self._torn = list(found.torn)
        self._number = found.segment
        self._failure: str = ""
        self._file: Appender | None = None
        self._begun = False
        if found.whole:
            self._file = self._open(found.segment, new=False)
            self._begun = self._file.size_bytes > 0
        with self._lock:
            self._ready()

    @property
    def size(self) -> int:
        """How many entries are written."""
        return self._chain.tree.size

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Write one entry; its index. On return it is *written*.

        Raises AuditUnavailable when it is not, UsageError for a kind or field of the log's own.
        """
        if type(fields) is Filled:
            return self._enter(kind, fields)
        if kind in OWN_KINDS or not RESERVED.isdisjoint(fields):
            raise UsageError(
                f"the audit log itself writes {kind} and {', '.join(sorted(RESERVED))}"
            )
        with self._lock:
            self._ready()
            chain = self._chain
            index = chain.tree.size
            try:
                lines = chain.lines(kind, timestamp(self._clock_us()), fields)
            except (ValueError, TypeError) as exc:
                raise AuditUnavailable(f"an entry of kind {kind} cannot be recorded") from exc
            self._put(lines)
            return index

    def _enter(self, kind: str, entry: Filled) -> int:
        """An entry whose form holds nothing of the log's own: in one step, where all goes well."""
        form = entry.form
        if kind != form.kind:
            raise ValueError(f"the form of a {form.kind} for a {kind}")
        with self._lock:
            file = self._file
            if file is None or not self._goes_on(file):
                self._ready()
                file = self._file
            assert file is not None  # noqa: S101 - _ready came before
            index, now = self._chain.tree.size, timestamp(self._clock_us())
            try:
                own = entry.own
                done = entered(self._chain, os.write, file.fd, form.pieces, form.order, own, now)
            except (ValueError, TypeError) as exc:
                raise AuditUnavailable(f"an entry of kind {kind} cannot be recorded") from exc
            except BaseException:
                self.fail("the audit log was interrupted in a write")
                raise
            if isinstance(done, tuple):
                self._put([done[0]], done[1])
            else:
                file.size_bytes += done
            return index

    def mark(self) -> tuple[int, int]:
        """How many entries are written, and a descriptor to sync them by; the caller closes it."""
        with self._lock:
            return self._chain.tree.size, self._descriptor()

    def head(self) -> tuple[int, bytes, int]:
        """As `mark`, with the root of the tree between the two."""
        with self._lock:
            return self._chain.tree.size, self._chain.tree.root(), self._descriptor()

    def _descriptor(self) -> int:
        if self._file is None:
            raise AuditUnavailable("the audit log has no open segment")
        return os.dup(self._file.fd)

    def fail(self, why: str) -> None:
        """Refuse everything from now on: what was written may not be on the disk."""
        self._failure = self._failure or why

    def close(self) -> None:
        """Close the segment; nothing can be appended any more."""
        with self._lock:
            self.fail("the audit log is closed")
            if self._file is not None:
                self._file.close()
                self._file = None

    def _ready(self) -> None:
        """Have an open segment with its opening entry."""
        if self._failure:
            raise AuditUnavailable(
                self._failure, hint="statements run again after a restart of the broker"
            )
        if self._file is not None and self._begun and not self._goes_on(self._file):
            self._leave()
        if self._file is None:
            self._file = self._open(self._number + 1, new=True)
            self._number += 1
            self._begun = False
        if not self._begun:
            now = timestamp(self._clock_us())
            self._put([self._chain.opening(now, self._number, self._torn)])
            self._begun, self._torn = True, []

    def _goes_on(self, file: Appender) -> bool:
        """Whether the next entry goes to this segment as it stands."""
        return self._begun and not self._failure and file.size_bytes < self._segment_bytes

    def _put(self, lines: list[bytes], done: int = 0) -> None:
        """Write the lines at once, but the first `done` bytes that stand there.

        After a failure those that were whole are entries.
        """
        data = lines[0] if len(lines) == 1 else b"".join(lines)
        if len(data) > canonical.MAX_LINE_BYTES and max(map(len, lines)) > canonical.MAX_LINE_BYTES:
            raise AuditUnavailable(f"an entry is over {canonical.MAX_LINE_BYTES} bytes")
        assert self._file is not None  # noqa: S101 - _ready came before
        try:
            self._file.append(data, done)
        except TornWrite as exc:
            self._set_aside(lines, exc.written)
            raise unavailable(exc, "the audit log cannot be written") from exc
        except BaseException:
            self.fail("the audit log was interrupted in a write")
            raise
        for line in lines:
            self._chain.take(line)

    def _set_aside(self, lines: list[bytes], written: int) -> None:
        for line in lines:
            if written < len(line):
                break
            self._chain.take(line)
            written -= len(line)
        if written:
            self._torn.append(Torn(self._number, written, sha256(line[:written]).hexdigest()))
            self._leave()

    def _leave(self) -> None:
        """Close the segment, durable; the next entry opens another."""
        assert self._file is not None  # noqa: S101 - callers have one
        try:
            self._file.sync()
        except OSError as exc:
            self.fail(f"the audit log's disk failed: {exc.strerror}")
            raise unavailable(exc, "the audit log's disk failed") from exc
        self._file.close()
        self._file = None

    def _open(self, number: int, *, new: bool) -> Appender:
        path = self._folder.segment(number)
        try:
            return Appender(path, new=new)
        except OSError as exc:
            if new and path.exists():  # made, but not durable: an empty segment is passed over
                self._number = number
            raise unavailable(exc, f"the audit log cannot write {path.name}") from exc
