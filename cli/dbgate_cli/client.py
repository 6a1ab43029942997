"""The broker's API, as the command line calls it: contract structs in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from dbgate_cli.http import TIMEOUT_S, Channel, Reply, tls_context
from dbgate_cli.settings import Settings
from dbgate_core import contract
from dbgate_core.errors import (
    BY_EXIT_CODE,
    AuditUnavailable,
    DbgateError,
    Denied,
    LimitExceeded,
    NotFound,
    NotSignedIn,
    Unreachable,
    UsageError,
)
from dbgate_core.secret import Secret

OPEN_TIMEOUT_S: Final = 30.0
"""Opening a session waits for Vault."""
FILE_TIMEOUT_S: Final = 300.0
MAX_FILE_BYTES: Final = 1 << 30
LONG_POLL_S: Final = 25
"""How long one question about a request stays open; below the usual 30 s of proxies."""

_T = TypeVar("_T")
_KINDS: Final[list[type[DbgateError]]] = [
    NotFound, AuditUnavailable, LimitExceeded, *BY_EXIT_CODE.values(),
]  # fmt: skip
_BY_CODE: Final = {kind.code: kind for kind in _KINDS}
_BY_STATUS: Final[dict[int, type[DbgateError]]] = {
    400: UsageError, 401: NotSignedIn, 403: Denied, 404: NotFound, 413: LimitExceeded,
    422: UsageError, 502: Unreachable, 503: Unreachable, 504: Unreachable,
}  # fmt: skip


class Broker:
    """A broker, spoken to as one principal. Every call raises a DbgateError when it fails.

    `token` is asked for an ID token at each call that needs one, so a long-lived command goes on
    with a refreshed one. Not for use by two threads at once.
    """

    def __init__(self, settings: Settings, token: Callable[[], Secret]) -> None:
        self.url = settings.require_broker()
        self.tls = tls_context(settings.ca_file)
        self._token = token
        self._channel = Channel(self.url, self.tls, name="the broker")

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def discovery(self) -> contract.Discovery:
        """Ask, without a token, what is needed to sign in and connect."""
        return self._ask("GET", "/discovery", contract.Discovery, anonymous=True)

    def whoami(self) -> contract.PrincipalInfo:
        """Ask whom the broker takes the token for."""
        return self._ask("GET", "/whoami", contract.PrincipalInfo)

    def databases(self) -> list[contract.DatabaseInfo]:
        """List the databases that the principal may see."""
        return self._ask("GET", "/databases", list[contract.DatabaseInfo])

    def classes(self, database: str) -> contract.DatabaseClasses:
        """Show what the columns of a database hold."""
        target = f"/databases/{_part(database)}/classes"
        return self._ask("GET", target, contract.DatabaseClasses)

    def explain(self, ask: contract.Explain) -> contract.Explanation:
        """What would become of a statement of one's own, and why."""
        return self._ask("POST", "/explain", contract.Explanation, ask)

    def open_session(self, wish: contract.OpenSession) -> contract.OpenedSession:
        """Open a session. Raises ApprovalNeeded or Denied, with the rule, when there is no grant."""
        return self._ask(
            "POST", "/sessions", contract.OpenedSession, wish, timeout_s=OPEN_TIMEOUT_S
        )

    def sessions(self) -> list[contract.SessionInfo]:
        """List the sessions that the principal may see."""
        return self._ask("GET", "/sessions", list[contract.SessionInfo])

    def session(self, session_id: str, timeout_s: float = TIMEOUT_S) -> contract.SessionInfo:
        """Show one session."""
        target = f"/sessions/{_part(session_id)}"
        return self._ask("GET", target, contract.SessionInfo, timeout_s=timeout_s)

    def close_session(self, session_id: str, reason: str = "") -> None:
        """Close an own session, or kill another's. Returns when its database user is gone."""
        target = f"/sessions/{_part(session_id)}" + _query({"reason": reason})
        self._send("DELETE", target, timeout_s=OPEN_TIMEOUT_S)

    def ask_access(self, wish: contract.AskAccess) -> contract.AccessRequestInfo:
        """Make an access request."""
        return self._ask("POST", "/requests", contract.AccessRequestInfo, wish)

    def requests(self, state: str = "") -> list[contract.AccessRequestInfo]:
        """List access requests: all that the principal may see, or those in one state."""
        target = "/requests" + _query({"state": state})
        return self._ask("GET", target, list[contract.AccessRequestInfo])

    def request(self, request_id: str, wait_s: int = 0) -> contract.AccessRequestInfo:
        """Show one request; with `wait_s`, answer when it is decided or after so many seconds."""
        target = f"/requests/{_part(request_id)}" + _query({"wait": str(wait_s) if wait_s else ""})
        return self._ask("GET", target, contract.AccessRequestInfo, timeout_s=TIMEOUT_S + wait_s)

    def vote(self, request_id: str, verb: str, comment: str) -> contract.AccessRequestInfo:
        """Vote on a request; `verb` is `approve` or `deny`."""
        target = f"/requests/{_part(request_id)}/{verb}"
        return self._ask("POST", target, contract.AccessRequestInfo, contract.Vote(comment=comment))

    def withdraw(self, request_id: str) -> contract.AccessRequestInfo:
        """Take an own pending request back."""
        target = f"/requests/{_part(request_id)}/withdraw"
        return self._ask("POST", target, contract.AccessRequestInfo)

    def audit_search(self, query: Mapping[str, str]) -> contract.AuditPage:
        """Search the audit log; `query` has the API's parameters, empty ones are left out."""
        return self._ask("GET", "/audit/search" + _query(query), contract.AuditPage)

    def audit_session(self, session_id: str, cursor: str = "") -> contract.AuditPage:
        """A page of a session's entries, in log order."""
        target = f"/audit/sessions/{_part(session_id)}" + _query({"cursor": cursor})
        return self._ask("GET", target, contract.AuditPage)

    def audit_files(self) -> contract.LogFiles:
        """List the files of the audit log."""
        return self._ask("GET", "/audit/files", contract.LogFiles)

    def audit_file(self, name: str) -> bytes:
        """The bytes of one file of the audit log."""
        return self._send(
            "GET",
            f"/audit/files/{_part(name)}",
            timeout_s=FILE_TIMEOUT_S,
            max_bytes=MAX_FILE_BYTES,
        ).body

    def audit_checkpoint(self) -> bytes:
        """The newest signed checkpoint, as a C2SP signed note."""
        return self._send("GET", "/audit/checkpoint").body

    def _ask(
        self,
        method: str,
        target: str,
        answer: type[_T],
        body: contract.Request | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        anonymous: bool = False,
    ) -> _T:
        reply = self._send(method, target, body, timeout_s=timeout_s, anonymous=anonymous)
        try:
            return msgspec.json.decode(reply.body, type=answer)
        except msgspec.DecodeError as exc:
            raise DbgateError(
                f"the broker's answer to {method} {target.partition('?')[0]} is not understood: {exc}",
                hint="is DBGATE_BROKER a dbgate broker, of a version that fits?",
                code="contract",
            ) from exc

    def _send(
        self,
        method: str,
        target: str,
        body: contract.Request | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        max_bytes: int = 16 * 1024 * 1024,
        anonymous: bool = False,
    ) -> Reply:
        headers = {"Accept": "application/json"}
        if not anonymous:
            headers["Authorization"] = f"Bearer {self._token().expose()}"
        data = None
        if method == "POST":
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body) if body is not None else b"{}"
        reply = self._channel.send(
            method,
            contract.API_PREFIX + target,
            headers=headers,
            body=data,
            timeout_s=timeout_s,
            max_bytes=max_bytes,
        )
        if not 200 <= reply.status < 300:
            raise problem_error(reply.status, reply.body)
        return reply


def problem_error(status: int, body: bytes) -> DbgateError:
    """The error that an answer's body (a Problem) or bare status stands for."""
    try:
        problem = msgspec.json.decode(body, type=contract.Problem)
    except msgspec.DecodeError:
        kind = _BY_STATUS.get(status, DbgateError)
        return kind(f"the broker answered with HTTP status {status}", hint="dbgate doctor")
    fallback = BY_EXIT_CODE.get(problem.exit_code, DbgateError)
    kind = _BY_CODE.get(problem.code, fallback)
    if kind.exit_code != problem.exit_code:
        kind = fallback
    return kind(problem.message, hint=problem.hint, code=problem.code, rule=problem.rule)


def _part(text: str) -> str:
    """One path segment. Raises UsageError for what cannot be one (empty, `.`, `..`)."""
    if text in ("", ".", ".."):
        raise UsageError(f"{text!r} is not an id")
    return quote(text, safe="")


def _query(values: Mapping[str, str]) -> str:
    given = {key: value for key, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""
