"""The search index: SQLite, derived from the log, rebuilt when it is missing, damaged or another's.

    entries    where an entry's line stands, its time, and whose it is: the end of a statement and the
               parts of a long text have an `owner`, the entry they belong to
    postings   for each term (terms.py) the entries that have it, in order
    texts      each statement text once, case folded
    blocks     for each batch its first and last entry and the times between them, so that a time
               range becomes a range of entries though clocks may step back

The place up to which the log was read is in the same transaction as what was read.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeVar

from dbgate_broker.audit import terms
from dbgate_broker.audit.files import Folder
from dbgate_core.audit import canonical
from dbgate_core.errors import Unreachable, VerificationFailed

VERSION: Final = 1
BATCH: Final = 2000
MARK_BYTES: Final = 512
"""How much of the log before the place is compared, to know that it is the same log."""
CACHE: Final = 50_000
"""Terms and texts whose numbers are kept in memory; beyond, they are looked up again."""
SHAPES: Final = 4096
"""Of entries whose terms are kept in memory; each holds a scope and the names of tables."""

_SCHEMA: Final = """
create table position (segment int, offset int, mark blob, log text);
create table entries (idx integer primary key, segment int, offset int, length int, time int,
                      text int, owner int, part int);
create index entries_of_owner on entries (owner) where owner is not null;
create index entries_of_text on entries (text) where text is not null;
create table terms (id integer primary key, term text unique, entries int);
create table postings (term int, idx int, primary key (term, idx)) without rowid;
create table texts (id integer primary key, hash blob unique, folded text);
create table blocks (first int primary key, last int, earliest int, latest int);
"""
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
        self._terms: dict[str, int] = {}
        self._texts: dict[bytes, int] = {}
        self._shapes: dict[terms.Shape | None, frozenset[int]] = {}
        self._segment, self._offset, self._mark = 1, 0, b""

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
                except sqlite3.DatabaseError:
                    self._discard()
                    return self._read_with(read)
        except (sqlite3.Error, OSError) as exc:
            raise Unreachable(
                f"the audit log's search index {self._path} cannot be used: {exc}",
                hint="the log itself is not affected; the index is rebuilt when it can be written",
            ) from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise VerificationFailed(
                "the audit log holds a line that is no entry", hint="dbgate audit verify"
            ) from exc

    def advance(self) -> bool:
        """Read one batch; whether there was any. The background's way to keep up.

        What goes wrong here is said by the next search, which tries again.
        """
        with self._lock, suppress(sqlite3.Error, OSError, ValueError, KeyError, TypeError):
            return not self._closed and self._batch()
        return False

    def entry(self, segment: int, offset: int, length: int) -> dict[str, Any]:
        """Read an entry from the log itself."""
        return canonical.entry(self._bytes(segment, offset, length))

    def _bytes(self, segment: int, offset: int, length: int) -> bytes:
        with self._folder.segment(segment).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def close(self) -> None:
        """Close the connection; it opens no more."""
        with self._lock:
            self._closed = True
            self._drop()

    def _read_with(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        while self._batch():
            pass
        return read(self._connected())

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
        self._segment, self._offset, self._mark, log = db.execute(
            "select segment, offset, mark, log from position"
        ).fetchone()
        return log == self._log and self._line_stands()

    def _line_stands(self) -> bool:
        """Whether the bytes before the place up to which the log was read are still the same."""
        if not self._offset:
            return True
        try:
            with self._folder.segment(self._segment).open("rb") as file:
                file.seek(max(0, self._offset - MARK_BYTES))
                return file.read(min(self._offset, MARK_BYTES)) == self._mark
        except OSError:
            return False

    def _batch(self) -> bool:
        """Read some whole lines into one transaction; whether there were any."""
        db = self._connected()
        lines = self._read()
        while not lines and self._folder.segment(self._segment + 1).exists():
            lines = self._read()  # what came before the next one was opened
            if not lines:
                self._segment, self._offset, self._mark = self._segment + 1, 0, b""
                lines = self._read()
        if not lines:
            return False
        before = (self._offset, self._mark)
        db.execute("begin immediate")
        try:
            self._add(db, lines)
            db.execute(
                "update position set segment=?, offset=?, mark=?",
                (self._segment, self._offset, self._mark),
            )
            db.execute("commit")
        except BaseException:
            self._offset, self._mark = before
            self._forget()
            db.execute("rollback")
            raise
        return True

    def _read(self) -> list[bytes]:
        path = self._folder.segment(self._segment)
        if not path.exists():
            return []
        lines: list[bytes] = []
        with path.open("rb") as file:
            file.seek(self._offset)
            while len(lines) < BATCH:
                line = file.readline(canonical.MAX_LINE_BYTES + 1)
                if not line.endswith(b"\n"):
                    break
                lines.append(line)
        return lines

    def _add(self, db: sqlite3.Connection, lines: list[bytes]) -> None:
        rows: list[tuple[int | None, ...]] = []
        postings: list[tuple[int, int]] = []
        parts: list[tuple[str, int]] = []
        sessions: dict[int, int] = {}
        for line in lines:
            entry = terms.line(line)
            owner = _owner(entry)
            part = entry.kind == canonical.STATEMENT_TEXT
            found = self._terms_of(db, entry)
            text = None
            if owner is None:
                session = self._session(db, entry)
                if session:
                    sessions[entry.index] = session
                text = self._text(db, entry)
            else:
                inherited = sessions.get(owner) or self._session_of(db, owner)
                if inherited:
                    found |= {inherited}
                if part:
                    parts.append((str(entry.text).casefold(), owner))
            at = (self._segment, self._offset, len(line))
            rows.append((entry.index, *at, micros(entry.time), text, owner, int(part)))
            postings += [(term, entry.index) for term in found]
            self._offset += len(line)
        self._mark = b"".join([self._mark, *lines[-MARK_BYTES:]])[-MARK_BYTES:]
        _insert(db, rows, postings, parts)

    def _terms_of(self, db: sqlite3.Connection, entry: terms.Line) -> frozenset[int]:
        """The numbers of an entry's terms."""
        shape = terms.shape(entry)
        known = self._shapes.get(shape)
        if known is None:
            known = frozenset(self._term(db, term) for term in terms.of_line(entry))
            if shape is not None:
                if len(self._shapes) >= SHAPES:
                    self._shapes.clear()
                self._shapes[shape] = known
        return known

    def _term(self, db: sqlite3.Connection, term: str) -> int:
        known = self._terms.get(term)
        if known is None:
            db.execute("insert or ignore into terms (term, entries) values (?, 0)", (term,))
            (known,) = db.execute("select id from terms where term = ?", (term,)).fetchone()
            _bounded(self._terms)[term] = known
        return int(known)

    def _text(self, db: sqlite3.Connection, entry: terms.Line) -> int | None:
        """The number of the entry's text. A text in parts is a row of its own, which grows."""
        if not isinstance(entry.text, str):
            return None
        folded = entry.text.casefold()
        if entry.text_parts is not None:
            return db.execute("insert into texts (folded) values (?)", (folded,)).lastrowid
        digest = blake2b(entry.text.encode(), digest_size=16).digest()
        known = self._texts.get(digest)
        if known is None:
            done = db.execute(
                "insert or ignore into texts (hash, folded) values (?, ?)", (digest, folded)
            )
            known = done.lastrowid
            if not done.rowcount:
                (known,) = db.execute("select id from texts where hash=?", (digest,)).fetchone()
            _bounded(self._texts)[digest] = int(known or 0)
        return known

    def _session(self, db: sqlite3.Connection, entry: terms.Line) -> int | None:
        """The term of the entry's session, if it has one."""
        for term in terms.of_scope(bytes(entry.scope)):
            if term.startswith(terms.SESSION):
                return self._term(db, term)
        if isinstance(entry.session, str) and entry.session:
            return self._term(db, terms.SESSION + entry.session)
        return None

    def _session_of(self, db: sqlite3.Connection, owner: int) -> int | None:
        """The session's term of an entry of an earlier batch, read from the log."""
        row = db.execute(
            "select segment, offset, length from entries where idx = ?", (owner,)
        ).fetchone()
        return self._session(db, terms.line(self._bytes(*row))) if row else None

    def _forget(self) -> None:
        """Forget the numbers of what a transaction did not keep."""
        self._terms.clear()
        self._texts.clear()
        self._shapes.clear()

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _discard(self) -> None:
        """Remove the index; the next use rebuilds it from the log."""
        self._drop()
        self._forget()
        self._segment, self._offset, self._mark = 1, 0, b""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, as the index keeps times."""
    return round(moment.timestamp() * 1_000_000)


def _insert(
    db: sqlite3.Connection,
    rows: list[tuple[int | None, ...]],
    postings: list[tuple[int, int]],
    parts: list[tuple[str, int]],
) -> None:
    """Put a batch in. Postings are sorted: each term's are then one stretch of the table."""
    db.executemany("insert into entries values (?,?,?,?,?,?,?,?)", rows)
    postings.sort()
    db.executemany("insert into postings values (?,?)", postings)
    counts = Counter(term for term, _ in postings)
    db.executemany(
        "update terms set entries = entries + ? where id = ?", [(n, t) for t, n in counts.items()]
    )
    db.executemany(
        "update texts set folded = folded || ? where id = (select text from entries where idx = ?)",
        parts,
    )
    times = [row[4] or 0 for row in rows]
    db.execute(
        "insert into blocks values (?,?,?,?)", (rows[0][0], rows[-1][0], min(times), max(times))
    )


def _owner(entry: terms.Line) -> int | None:
    """The entry that this one belongs to: as a part of its text, or as its end."""
    found = entry.continues if entry.kind == canonical.STATEMENT_TEXT else entry.begin
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < entry.index:
        return found
    return None


def _bounded(cache: dict[Any, int]) -> dict[Any, int]:
    if len(cache) >= CACHE:
        cache.clear()
    return cache
