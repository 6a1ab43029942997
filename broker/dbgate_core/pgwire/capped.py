"""A text that may change so many rows and no more: its transaction ends only once they are counted.

PostgreSQL says how many rows a statement changed when it is done (CommandComplete), and a Query outside
of a transaction block is committed before it says so. So such a Query runs in a block of dbgate's own:
BEGIN goes before it, by Parse, Bind and Execute without a Sync, so that the server skips the Query should
BEGIN fail; COMMIT or ROLLBACK follows when the Query's answer is in, and its ReadyForQuery is the
client's. Everywhere else the transaction is still open when the count comes: in a block of the
client's own, and in the extended protocol until Sync. What changed too much is then followed by a text that
the server refuses, which aborts that transaction.

Nothing that the client sends behind it goes on before that is decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbgate_core.pgwire.guard import Refusal
from dbgate_core.pgwire.messages import message

REFUSED_TEXT: Final = b"dbgate refused this statement\0"
REFUSED_NAME: Final = b"dbgate refused this\0"
REFUSED_PARSE: Final = message(b"P", REFUSED_NAME + REFUSED_TEXT + b"\0\0")
"""Named, because a Parse without a name would drop the client's own unnamed statement."""
REFUSED_QUERY: Final = message(b"Q", REFUSED_TEXT)
OWN_BEGIN: Final = (
    message(b"P", b"\0BEGIN\0\0\0")
    + message(b"B", b"\0\0\0\0\0\0\0\0")
    + message(b"E", b"\0\0\0\0\0")
)
OWN_COMMIT: Final = message(b"Q", b"COMMIT\0")
OWN_ROLLBACK: Final = message(b"Q", b"ROLLBACK\0")
SYNC: Final = message(b"S", b"")
COPY_FAIL: Final = message(b"f", b"dbgate refused this\0")
CODE: Final = "policy.rows_affected"
_LIMIT_EXCEEDED: Final = "54000"
_CHANGING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"})
UNSYNCED: Final = Refusal(
    "0A000",
    "under a limit of changed rows a Query does not run in the transaction of messages before it",
    hint="send Sync before it",
)


@dataclass(slots=True)
class Capped:
    """What one message may change, and did; `own` is whether dbgate opened the transaction.

    `withheld` is the CommandComplete that the client gets once it is committed.
    """

    limit: int
    own: bool = False
    changed: int = 0
    overrun: Refusal | None = None
    withheld: bytes = b""

    def count(self, tag: str, rows: int | None) -> None:
        """One of its statements is done."""
        if tag.partition(" ")[0] in _CHANGING:
            self.changed += rows or 0
        if self.changed > self.limit:
            self.overrun = self._refusal(
                f"policy lets a statement change at most {self.limit} rows, and this one changed"
                f" {self.changed}: it is rolled back",
                "choose fewer by a narrower WHERE, or change them in parts",
            )

    def suspended(self) -> None:
        """The server has more rows to give, and does not say how many it changed."""
        self.overrun = self._refusal(
            f"policy lets a statement change at most {self.limit} rows: they are counted only when"
            " all rows of its result are asked for at once",
            "execute it without a limit of rows",
        )

    @staticmethod
    def _refusal(said: str, hint: str) -> Refusal:
        return Refusal(_LIMIT_EXCEEDED, said, f"limit: {CODE}", hint)


def not_counted(limit: int, what: str) -> Refusal:
    """The refusal of a text of which nobody says how many rows it changes."""
    return Refusal(
        _LIMIT_EXCEEDED,
        f"policy lets a statement change at most {limit} rows, and PostgreSQL does not count {what}",
        f"limit: {CODE}",
        "send each INSERT, UPDATE, DELETE, MERGE or COPY by itself",
    )
