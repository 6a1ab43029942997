"""The API's one contract: what travels between the CLI and the broker, as msgspec structs.

Times are aware UTC `datetime`s (RFC 3339 on the wire), durations are whole seconds ending in
`_s`. The OpenAPI document is generated from these structs. Unknown fields of an answer are
ignored, so an older CLI works with a newer broker; unknown fields of a request are refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

API_PREFIX = "/v1"


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a client sends."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the broker answers."""


class Problem(Answer, frozen=True, kw_only=True):
    """The body of every error answer (after RFC 9457: status and code say which, hint says what next)."""

    code: str
    message: str
    hint: str = ""
    rule: str = ""
    exit_code: int = 1


class Discovery(Answer, frozen=True, kw_only=True):
    """`GET /v1/discovery`, without a token: what a CLI needs to sign in and connect."""

    version: str
    issuer: str
    client_id: str
    gateway_host: str
    gateway_port: int
    audit_public_key: str
    """The log's verification key in C2SP signed-note form: `name+hash+base64`."""
    developer_mode: bool = False


class PrincipalInfo(Answer, frozen=True, kw_only=True):
    """A principal, as shown; `on_behalf_of` is the name of whom an agent acts for."""

    kind: str
    name: str
    issuer: str
    subject: str
    groups: list[str] = []
    email: str = ""
    on_behalf_of: str = ""
    expires_at: datetime | None = None


class AccessRoleInfo(Answer, frozen=True, kw_only=True):
    """One access role of a database and how this principal stands to it.

    `access` is `granted` (standing policy or a running grant), `approval` (may be asked for) or
    `denied`; `until` is the end of the running grant, if that is what grants it.
    """

    name: str
    access: str
    approval: str = ""
    until: datetime | None = None


class DatabaseInfo(Answer, frozen=True, kw_only=True):
    """`GET /v1/databases` gives the list of those the principal may see."""

    name: str
    engine: str
    environment: str
    labels: dict[str, str]
    access_roles: list[AccessRoleInfo]


class ColumnClassInfo(Answer, frozen=True, kw_only=True):
    """One column, or one member of its documents (`path`), and what it holds.

    `source` says which evidence decides: `name`, `code`, `content` or `review`; `confidence` is in percent.
    `values` is how many sampled values were looked at. Without classes it may be shown.
    """

    column: str
    path: str = ""
    classes: list[str]
    confidence: int = 100
    source: str = ""
    reasons: list[str] = []
    values: int = 0
    looked_at: datetime | None = None


class DatabaseClasses(Answer, frozen=True, kw_only=True):
    """`GET /v1/databases/{name}/classes`: what the columns of a database hold, and why.

    `state` is `never` (nobody was connected yet), `looking`, `done` or `off` (`sampling = false`).
    `mistakes` are columns that the reviewed file names and the database does not have.
    """

    database: str
    state: str
    columns: list[ColumnClassInfo]
    mistakes: list[str] = []


class Explain(Request, frozen=True, kw_only=True):
    """`POST /v1/explain`. An empty access role means: the lowest that policy grants, or lets ask for."""

    database: str
    access_role: str = ""
    statement: str


class Explanation(Answer, frozen=True, kw_only=True):
    """What would become of the statement in a new session of that access role, and why; nothing is run.

    `explanation` has what `dbgate policy explain --json` prints. `catalog`: names were looked up
    in what the broker knows of the database; else they stand for themselves.
    """

    database: str
    access_role: str
    catalog: bool
    explanation: dict[str, Any]


class OpenSession(Request, frozen=True, kw_only=True):
    """`POST /v1/sessions`. An empty access role means: the lowest that policy grants.

    `hold_s` is how long a statement that takes an approval waits for it; 0: it is refused at once.
    With `show_masks` a NOTICE says of each result what was masked.
    """

    database: str
    access_role: str = ""
    reason: str = ""
    client: str = ""
    agent: str = ""
    hold_s: int = 0
    show_masks: bool = False


class SessionInfo(Answer, frozen=True, kw_only=True):
    """A session, as shown. `state` is `open` or `closed`."""

    id: str
    database: str
    access_role: str
    principal: PrincipalInfo
    state: str
    opened_at: datetime
    expires_at: datetime
    reason: str = ""
    client: str = ""
    agent: str = ""
    db_user: str = ""
    connections: int = 0
    closed_at: datetime | None = None
    close_reason: str = ""


class OpenedSession(Answer, frozen=True, kw_only=True):
    """The answer to `OpenSession`, given once: it alone holds the tunnel token and password.

    `username`, `password` and `dbname` are what a client hands to the local listener; they are
    the session's own and worth nothing elsewhere.
    """

    session: SessionInfo
    tunnel_token: str
    username: str
    password: str
    dbname: str
    gateway_host: str
    gateway_port: int


class AskAccess(Request, frozen=True, kw_only=True):
    """`POST /v1/requests`: a database and access role, for a window, with a reason.

    With `statement` it asks for that one exact statement, to be run once within the window.
    """

    database: str
    access_role: str
    reason: str
    duration_s: int = 3600
    statement: str = ""


class Vote(Request, frozen=True, kw_only=True):
    """`POST /v1/requests/{id}/approve` or `/deny`."""

    comment: str = ""


class VoteInfo(Answer, frozen=True, kw_only=True):
    """One reviewer's vote."""

    reviewer: str
    vote: str
    comment: str
    at: datetime


class AccessRequestInfo(Answer, frozen=True, kw_only=True):
    """An access request, as shown. `state`: `pending`, `approved`, `denied`, `expired`, `withdrawn`.

    `approval` is the quorum (`dba:1`); `expires_at` is when a pending request lapses;
    `window_ends_at` is when an approved one's grant ends. `statement` is the one statement that
    is asked for, if it is not an access role's; `used_at` is when it ran. Of one that waits in its
    session there are its `effects` in words, and the `estimated_rows` of the planner, if it has any.
    """

    id: str
    database: str
    access_role: str
    requester: PrincipalInfo
    reason: str
    state: str
    approval: str
    duration_s: int
    created_at: datetime
    expires_at: datetime
    window_ends_at: datetime | None = None
    votes: list[VoteInfo] = []
    statement: str = ""
    effects: list[str] = []
    estimated_rows: int | None = None
    used_at: datetime | None = None


class AuditPage(Answer, frozen=True, kw_only=True):
    """`GET /v1/audit/search` and `/v1/audit/sessions/{id}`: entries in log order.

    `next` is the cursor of the next page (`?cursor=`), empty at the end.
    """

    entries: list[dict[str, Any]]
    next: str = ""


class LogFile(Answer, frozen=True, kw_only=True):
    """One file of the audit log (`GET /v1/audit/files`); its bytes are at `/v1/audit/files/{name}`."""

    name: str
    size_bytes: int


class LogFiles(Answer, frozen=True, kw_only=True):
    """The files of the audit log, in order: segments, then checkpoints."""

    files: list[LogFile]
