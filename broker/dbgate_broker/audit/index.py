"""The search index: SQLite, derived from the log, rebuilt when it is missing, damaged or another's.

    blocks     the entries in blocks (block.py): where they stand, the times between them (clocks may
               step back), the lengths of their lines and their texts
    postings   for each term (terms.py) and block the entries that have it, as bits
    late       ends of statements that began in another block

The newest block grows in memory. It is kept, in one transaction with the place up to which the log
was read, when it is full or its segment is; a search puts it in for as long as it looks. The end
of a statement and the parts of a text are found by what they belong to.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeVar

from dbgate_broker.audit import block as blocks
from dbgate_broker.audit.block import Block
from dbgate_broker.audit.files import Folder
from dbgate_broker.audit.owners import Owners
from dbgate_broker.audit.terms import line as entry_of
from dbgate_core.audit import canonical
from dbgate_core.errors import Unreachable, VerificationFailed

VERSION: Final = 3
MARK_BYTES: Final = 512
"""How much of the log before the place is compared, to know that it is the same log."""

Place = tuple[int, int, int, int]
"""An entry's index, segment, offset and length."""
_SCHEMA: Final = """
create table position (segment int, offset int, mark blob, log text);
create table blocks (first integer primary key, segment int, offset int, entries int,
                     earliest int, latest int, lines blob, texts blob);
create table postings (term text, block int, bits blob, primary key (term, block)) without rowid;
create table late (owner int, idx int, primary key (owner, idx)) without rowid;
"""
_WRONG: Final = (sqlite3.Error, zlib.error, OSError, ValueError, KeyError, TypeError)
"""What may be wrong with the index, its disk or the log."""
_T = TypeVar("_T")


class Index:
    """Thread-safe: one connection, used by one thread at a time."""

    def __init__(self, folder: Folder, path: Path, log: str) -> None:
        """Nothing is opened before it is needed; `log` names the log that it is derived from."""
        self._folder = folder
        self._path = path
        self._log = log
        self._lock = RLock()
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._owners = Owners(self._entry_line)
        self._block = Block(1, 0)

    def use(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        """Catch up with the log, then read. A damaged index is rebuilt, once.

        Raises Unreachable when there can be no index, VerificationFailed when the log has a line
        that is no entry.
        """
        try:
            with self._lock:
                if self._closed:
                    raise Unreachable("the audit log is closed")
                try:
                    return self._read_with(read)
                except (sqlite3.DatabaseError, zlib.error):
                    self._discard()
                    return self._read_with(read)
        except (sqlite3.Error, zlib.error, OSError) as exc:
            raise Unreachable(
                f"the audit log's search index {self._path} cannot be used: {exc}",
                hint="the log itself is not affected; the index is rebuilt when it can be written",
            ) from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise VerificationFailed(
                "the audit log holds a line that is no entry", hint="dbgate audit verify"
            ) from exc

    def advance(self) -> bool:
        """Read some lines; whether there were any. The background's way to keep up.

        What goes wrong here is said by the next search, which tries again.
        """
        with self._lock, suppress(*_WRONG):
            return not self._closed and self._batch()
        return False

    def entries(self, places: Iterable[Place]) -> list[dict[str, Any]]:
        """Read entries from the log itself, given their places in order."""
        found = []
        for segment, near in groupby(places, itemgetter(1)):
            with self._folder.segment(segment).open("rb") as file:
                for _, _, offset, length in near:
                    file.seek(offset)
                    found.append(canonical.entry(file.read(length)))
        return found

    def lines(self, segment: int, offset: int, length: int) -> bytes:
        """Read lines from the log itself."""
        with self._folder.segment(segment).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def parted_text(self, segment: int, offset: int) -> str:
        """The whole text, folded, of the entry that begins here; its parts follow it in the log."""
        with self._folder.segment(segment).open("rb") as file:
            file.seek(offset)
            first = entry_of(file.readline(canonical.MAX_LINE_BYTES + 1))
            text = [str(first.text)]
            while (line := file.readline(canonical.MAX_LINE_BYTES + 1)).endswith(b"\n"):
                part = entry_of(line)
                if part.kind != canonical.STATEMENT_TEXT or part.continues != first.index:
                    break
                text.append(str(part.text))
        return "".join(text).casefold()

    def close(self) -> None:
        """Close the connection; it opens no more."""
        with self._lock:
            self._closed = True
            self._drop()

    def _read_with(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        while self._batch():
            pass
        db = self._connected()
        db.execute("begin")
        try:
            if len(self._block):
                _insert(db, self._block)
            return read(db)
        finally:
            db.execute("rollback")

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.touch(mode=0o600)
            self._db = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.execute("pragma cache_size=-32768")
            if not self._ours(self._db):
                self._discard()
                return self._connected()
        return self._db

    def _ours(self, db: sqlite3.Connection) -> bool:
        """Make an empty index usable; of another, whether it was read from this very log."""
        (version,) = db.execute("pragma user_version").fetchone()
        if version == 0:
            db.executescript(f"begin;{_SCHEMA}pragma user_version={VERSION};")
            db.execute("insert into position values (1, 0, x'', ?)", (self._log,))
            db.execute("commit")
        elif version != VERSION:
            return False
        segment, offset, mark, log = db.execute(
            "select segment, offset, mark, log from position"
        ).fetchone()
        self._block = Block(segment, offset)
        return bool(log == self._log and self._mark(segment, offset) == mark)

    def _mark(self, segment: int, offset: int) -> bytes:
        """The bytes before a place in the log, as far as they are there."""
        if not offset:
            return b""
        start = max(0, offset - MARK_BYTES)
        try:
            return self.lines(segment, start, offset - start)
        except OSError:
            return b""

    def _batch(self) -> bool:
        """Read some whole lines; whether there were any."""
        db = self._connected()
        if self._block.full:
            self._keep(db)
        lines = self._read()
        while not lines and self._folder.segment(self._block.segment + 1).exists():
            lines = self._read()  # what came before the next one was opened
            if not lines:
                self._keep(db, self._block.segment + 1)
                lines = self._read()
        for line in lines:
            self._owners.add(self._block, line)
        return bool(lines)

    def _read(self) -> list[bytes]:
        block = self._block
        path = self._folder.segment(block.segment)
        if not path.exists():
            return []
        lines: list[bytes] = []
        room, count = blocks.BYTES - block.size_bytes, blocks.ENTRIES - len(block)
        with path.open("rb") as file:
            file.seek(block.end)
            while room > 0 and len(lines) < count:
                line = file.readline(canonical.MAX_LINE_BYTES + 1)
                if not line.endswith(b"\n"):
                    break
                lines.append(line)
                room -= len(line)
        return lines

    def _keep(self, db: sqlite3.Connection, segment: int = 0) -> None:
        """Put the block in for good and begin another, after it or in the next segment."""
        block = self._block
        following = Block(segment, 0) if segment else Block(block.segment, block.end)
        place = (following.segment, following.offset)
        db.execute("begin immediate")
        try:
            if len(block):
                _insert(db, block)
            db.execute(
                "update position set segment=?, offset=?, mark=?", (*place, self._mark(*place))
            )
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise
        self._block = following

    def _entry_line(self, index: int) -> bytes | None:
        """An entry's line, read from the log; None when it is not there."""
        block = self._block
        if len(block) and index >= block.first:
            found = (block.first, block.segment, block.offset)
            lengths = block.lines.lengths
        else:
            row = (
                self._connected()
                .execute(
                    "select first, segment, offset, lines from blocks where first <= ?"
                    " order by first desc limit 1",
                    (index,),
                )
                .fetchone()
            )
            if row is None:
                return None
            found = row[:3]
            lengths = blocks.unpack(row[3], blocks.Lines).lengths
        at = index - found[0]
        if at >= len(lengths):
            return None
        return self.lines(found[1], found[2] + sum(lengths[:at]), lengths[at])

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _discard(self) -> None:
        """Remove the index; the next use rebuilds it from the log."""
        self._drop()
        self._block = Block(1, 0)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _insert(db: sqlite3.Connection, block: Block) -> None:
    """Put a block in."""
    first, lines = block.first, block.lines
    earliest, latest = map(blocks.micros, (min(block.times), max(block.times)))
    db.execute(
        "insert into blocks values (?,?,?,?,?,?,?,?)",
        (first, block.segment, block.offset, len(block), earliest, latest,
         blocks.pack(lines), blocks.pack(block.texts)),
    )  # fmt: skip
    db.executemany(
        "insert into postings values (?,?,?)",
        [(term, first, blocks.pack_bits(found)) for term, found in block.postings()],
    )
    ends = zip(lines.ends, lines.distances, strict=True)
    db.executemany(
        "insert into late values (?,?)",
        [(first + at - far, first + at) for at, far in ends if far > at],
    )
