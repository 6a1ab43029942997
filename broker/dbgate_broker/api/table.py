"""The one table of endpoints: the routes and the OpenAPI document are both made from it."""

from __future__ import annotations

from typing import Any, Final

from dbgate_broker.api import auditing, classes, operations, people
from dbgate_broker.api.endpoint import DEADLINE_S, Endpoint
from dbgate_broker.api.reading import Nothing
from dbgate_broker.sessions.requests import MAX_WAIT_S
from dbgate_core import contract
from dbgate_core.contract import API_PREFIX as V1

OPENING_S: Final = 30.0
"""Opening and closing a session wait for Vault and PostgreSQL."""
SEARCHING_S: Final = 30.0
FILE_S: Final = 300.0
"""For a whole file, read at the client's pace."""

AnyEndpoint = Endpoint[Any, Any]

TABLE: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint("GET", "/healthz", "Whether the broker answers", operations.health,
             operations.Health, Nothing, anonymous=True),
    Endpoint("GET", "/readyz", "Whether sessions can be opened here; 503 if not",
             operations.readiness, operations.Readiness, Nothing, anonymous=True),
    Endpoint("GET", f"{V1}/discovery", "What is needed to sign in and connect", people.discovery,
             contract.Discovery, Nothing, anonymous=True),
    Endpoint("GET", f"{V1}/whoami", "Whom the token stands for", people.whoami,
             contract.PrincipalInfo, Nothing),
    Endpoint("GET", f"{V1}/databases", "The databases that you may see", people.databases,
             list[contract.DatabaseInfo], Nothing),
    Endpoint("GET", f"{V1}/databases/{{name}}/classes", "What the columns of a database hold",
             classes.show, contract.DatabaseClasses, Nothing),
    Endpoint("POST", f"{V1}/explain", "What would become of a statement of yours, and why",
             people.explain, contract.Explanation, Nothing, contract.Explain,
             deadline_s=SEARCHING_S),
    Endpoint("POST", f"{V1}/sessions", "Open a session", people.open_session,
             contract.OpenedSession, Nothing, contract.OpenSession, deadline_s=OPENING_S),
    Endpoint("GET", f"{V1}/sessions", "The sessions that you may see", people.list_sessions,
             list[contract.SessionInfo], people.ListSessions),
    Endpoint("GET", f"{V1}/sessions/{{id}}", "One session", people.get_session,
             contract.SessionInfo, Nothing),
    Endpoint("DELETE", f"{V1}/sessions/{{id}}", "Close your session, or kill another's",
             people.close_session, contract.SessionInfo, people.CloseSession, deadline_s=OPENING_S),
    Endpoint("POST", f"{V1}/requests", "Ask for access, or for one statement", people.ask_access,
             contract.AccessRequestInfo, Nothing, contract.AskAccess),
    Endpoint("GET", f"{V1}/requests", "The access requests that you may see", people.list_requests,
             list[contract.AccessRequestInfo], people.ListRequests),
    Endpoint("GET", f"{V1}/requests/{{id}}", "One access request, when it is decided if you wait",
             people.get_request, contract.AccessRequestInfo, people.WaitForRequest,
             deadline_s=MAX_WAIT_S + DEADLINE_S),
    Endpoint("POST", f"{V1}/requests/{{id}}/approve", "Vote for a request", people.approve,
             contract.AccessRequestInfo, Nothing, contract.Vote),
    Endpoint("POST", f"{V1}/requests/{{id}}/deny", "Vote against a request", people.deny,
             contract.AccessRequestInfo, Nothing, contract.Vote),
    Endpoint("POST", f"{V1}/requests/{{id}}/withdraw", "Take your own request back", people.withdraw,
             contract.AccessRequestInfo, Nothing, Nothing),
    Endpoint("GET", f"{V1}/audit/search", "Search the audit log", auditing.search,
             contract.AuditPage, auditing.Search, deadline_s=SEARCHING_S),
    Endpoint("GET", f"{V1}/audit/sessions/{{id}}", "Everything that happened in a session",
             auditing.session, contract.AuditPage, auditing.Page, deadline_s=SEARCHING_S),
    Endpoint("GET", f"{V1}/audit/files", "The files of the audit log", auditing.files,
             contract.LogFiles, Nothing),
    Endpoint("GET", f"{V1}/audit/files/{{name}}", "The bytes of one file", auditing.file,
             None, Nothing, deadline_s=FILE_S, media=auditing.BYTES),
    Endpoint("GET", f"{V1}/audit/checkpoint", "The newest checkpoint, a C2SP signed note",
             auditing.checkpoint, None, Nothing, deadline_s=SEARCHING_S, media=auditing.TEXT),
)  # fmt: skip
