"""The log's folder: 0700, locked by its one writer, files 0600 that are only ever appended to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dbgate_core.audit import canonical, layout, note
from dbgate_core.contract import LogFile
from dbgate_core.errors import AuditUnavailable, NotFound, UsageError

LOCK_NAME: Final = "writer.lock"
TAIL_BYTES: Final = 4 * note.MAX_NOTE_BYTES
"""How much of a file of checkpoints is read to find the last one."""
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


class TornWrite(OSError):
    """A write that failed after `written` bytes of it were in the file."""

    def __init__(self, cause: OSError, written: int) -> None:
        super().__init__(cause.errno, cause.strerror)
        self.written = written


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises TornWrite when only a part, or nothing, could be written."""
    done = 0
    while done < len(data):
        try:
            done += os.write(fd, data[done:] if done else data)
        except OSError as exc:
            raise TornWrite(exc, done) from exc


def sync_folder(folder: Path) -> None:
    """Make names in the folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Folder:
    """The files of a log. Opening it takes the lock."""

    def __init__(self, path: Path) -> None:
        """Make the folder if need be. Raises UsageError when another process writes to it."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise UsageError(f"cannot open the audit log {path}: {exc.strerror}") from exc
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            raise UsageError(
                f"the audit log {path} already has a writer: process {holder}",
                hint="stop the other broker, or give this one a directory of its own",
            ) from exc
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Give the lock up."""
        os.close(self._lock)

    def segments(self) -> list[int]:
        """The numbers of all segments, in order."""
        return self._numbers(layout.segment_number)

    def checkpoint_files(self) -> list[int]:
        """The numbers of all files of checkpoints, in order."""
        return self._numbers(layout.checkpoints_number)

    def segment(self, number: int) -> Path:
        """The path of a segment."""
        return self.path / layout.segment_name(number)

    def checkpoints(self, number: int) -> Path:
        """The path of a file of checkpoints."""
        return self.path / layout.checkpoints_name(number)

    def listing(self) -> list[LogFile]:
        """Segments, then checkpoints, with their present sizes."""
        paths = [self.segment(n) for n in self.segments()]
        paths += [self.checkpoints(n) for n in self.checkpoint_files()]
        return [LogFile(name=path.name, size_bytes=path.stat().st_size) for path in paths]

    def file(self, name: str) -> Path:
        """The path of a file of the log, by its name. Raises NotFound for any other name."""
        if layout.segment_number(name) is None and layout.checkpoints_number(name) is None:
            raise NotFound("the audit log has no such file", hint="GET /v1/audit/files lists them")
        path = self.path / name
        if path.is_symlink() or not path.is_file():
            raise NotFound(f"the audit log has no file {name}")
        return path

    def _numbers(self, number_of: Callable[[str], int | None]) -> list[int]:
        found = (number_of(entry.name) for entry in os.scandir(self.path))
        return sorted(number for number in found if number is not None)


class Appender:
    """One file that grows. Not thread-safe; its owner holds a lock."""

    def __init__(self, path: Path, *, new: bool) -> None:
        """Open the file; a new one must not exist, and its name is durable. Raises OSError."""
        self.path = path
        self.fd = os.open(path, _APPEND | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        self.size_bytes = os.fstat(self.fd).st_size
        if new:
            sync_folder(path.parent)

    def append(self, data: bytes, done: int = 0) -> None:
        """Write all of it, but the `done` bytes that stand there.

        Raises TornWrite; `size_bytes` then counts what was written of it.
        """
        try:
            done = done or os.write(self.fd, data)
            if done < len(data):
                write_all(self.fd, data[done:])
        except OSError as exc:
            done += exc.written if isinstance(exc, TornWrite) else 0
            self.size_bytes += done
            raise TornWrite(exc, done) from exc
        self.size_bytes += len(data)

    def sync(self) -> None:
        """Make what was written durable. Raises OSError."""
        os.fdatasync(self.fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)


@contextmanager
def lines(path: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file, each at most a byte over what a line may have."""
    with path.open("rb") as file:
        yield iter(lambda: file.readline(canonical.MAX_LINE_BYTES + 1), b"")


def last_note(path: Path) -> bytes | None:
    """The last whole checkpoint of a file, None if it holds none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
    if size > TAIL_BYTES:  # begin after a whole note: a blank line that follows a signature
        start = tail.find(b"=\n\n", tail.find("\n— ".encode()))
        tail = tail[start + 3 :] if start >= 0 else b""
    found = None
    for found in note.split(tail.splitlines(keepends=True)):  # noqa: B007
        pass
    return found


def ends_whole(path: Path) -> bool:
    """Whether a file of checkpoints ends after a whole note, so that it can be appended to."""
    found = last_note(path)
    whole = found + b"\n" if found else b""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(whole)))
        return size == 0 if found is None else file.read() == whole


def unavailable(exc: OSError, what: str) -> AuditUnavailable:
    """What a failed write becomes: nothing may run unrecorded."""
    return AuditUnavailable(
        f"{what}: {exc.strerror or exc}",
        hint="statements run again when the audit log can be written: see its disk",
    )
