"""Effects: what a statement would do, in values that policy can read (DESIGN, "SQL judgement")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The closed set of actions; the values are the Cedar action names."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"
    MERGE = "merge"
    CREATE = "create"
    ALTER = "alter"
    DROP = "drop"
    GRANT = "grant"
    SET = "set"
    CALL = "call"
    COPY_IN = "copy_in"
    COPY_OUT = "copy_out"
    DO = "do"
    LISTEN = "listen"
    TRANSACTION = "transaction"
    UTILITY = "utility"
    UNKNOWN = "unknown"


class Predicate(StrEnum):
    """Which rows an UPDATE, DELETE or MERGE picks: all of them, seemingly some, or some."""

    NONE = ""
    ABSENT = "absent"
    TRIVIAL = "trivial"
    REAL = "real"


class Danger(StrEnum):
    """Named groups of what reaches beyond tables; policy refuses each by its name."""

    NONE = ""
    SERVER_FILE = "server_file"
    PROGRAM = "program"
    LARGE_OBJECT = "large_object"
    NETWORK = "network"
    OTHER_SESSION = "other_session"
    SESSION_IDENTITY = "session_identity"
    SETTING = "setting"
    SECRET = "secret"  # noqa: S105 - the name of a group, not a secret
    RESOURCE = "resource"
    CODE = "code"


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """A relation as the statement names it; the empty schema means: found by search_path."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect.

    `object` is what is touched, as written (`shop.orders`, `pg_read_file`, a setting's name), and
    `kind` what that is (`table`, `view`, `schema`, `database`, `role`, `function`, `setting`,
    `extension`, `trigger` ...). `detail` narrows the action (`drop column`, `program`, a lock's
    mode). `columns` are those written, when the statement names them. `destructive` is set on DDL
    that loses data or switches a protection off: DROP and TRUNCATE of what is not plainly temporary,
    and the forms of ALTER that do.
    """

    action: Action
    object: str = ""
    kind: str = ""
    predicate: Predicate = Predicate.NONE
    danger: Danger = Danger.NONE
    detail: str = ""
    columns: frozenset[str] = frozenset()
    destructive: bool = False
