"""The one tree of errors.

    DbgateError                 1  XX000  internal          500
    ├── UsageError              2  22023  usage             400   the caller asked for something malformed
    ├── NotFound                2  3D000  not_found         404   no such database, session, request
    ├── NotSignedIn             3  28000  auth.required     401   no token, or one that does not verify
    ├── Denied                  4  42501  policy.denied     403   a rule says no
    ├── ApprovalNeeded          5  42501  approval.needed   403   a rule says: not without a second person
    ├── Unreachable             6  08006  unreachable       503   Vault, the issuer, the database, the broker
    │   └── AuditUnavailable    6  53100  audit.unavailable 503   the log cannot be written: nothing may run
    ├── VerificationFailed      7  XX001  audit.verification_failed 422
    ├── ProtocolViolation       1  08P01  protocol          400   a peer broke the wire protocol
    └── LimitExceeded           1  54000  limit             413   a documented bound was passed

An error knows its stable code, its exit code (README, "Exit codes"), its SQLSTATE (PostgreSQL
documentation, appendix A), its HTTP status and its hint. It does not know how to print itself.
Third-party exceptions are translated where the library is called, once, with the cause kept.
"""

from __future__ import annotations

from typing import ClassVar


class DbgateError(Exception):
    """Anything dbgate refuses or fails at.

    `message` says what is wrong (lower case, no full stop, no secret); `hint` is the next move;
    `code` narrows the class's own stable code; `rule` is the id of the deciding policy, if any.
    """

    code: str = "internal"
    exit_code: ClassVar[int] = 1
    sqlstate: str = "XX000"
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        rule: str = "",
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.rule = rule
        if code is not None:
            self.code = code
        if sqlstate is not None:
            self.sqlstate = sqlstate


class UsageError(DbgateError):
    """The caller asked for something malformed or impossible."""

    code = "usage"
    exit_code = 2
    sqlstate = "22023"
    http_status = 400


class NotFound(DbgateError):
    """No such database, session or request, or none that this principal may see."""

    code = "not_found"
    exit_code = 2
    sqlstate = "3D000"
    http_status = 404


class NotSignedIn(DbgateError):
    """No token, or one that does not verify."""

    code = "auth.required"
    exit_code = 3
    sqlstate = "28000"
    http_status = 401


class Denied(DbgateError):
    """A policy says no."""

    code = "policy.denied"
    exit_code = 4
    sqlstate = "42501"
    http_status = 403


class ApprovalNeeded(DbgateError):
    """A policy says: not without a second person. Also pending, refused, expired."""

    code = "approval.needed"
    exit_code = 5
    sqlstate = "42501"
    http_status = 403


class Unreachable(DbgateError):
    """A service that is needed does not answer: Vault, the issuer, the database, the broker."""

    code = "unreachable"
    exit_code = 6
    sqlstate = "08006"
    http_status = 503


class AuditUnavailable(Unreachable):
    """The audit log cannot be written, therefore nothing may run."""

    code = "audit.unavailable"
    sqlstate = "53100"


class VerificationFailed(DbgateError):
    """The audit log is not what was signed."""

    code = "audit.verification_failed"
    exit_code = 7
    sqlstate = "XX001"
    http_status = 422


class ProtocolViolation(DbgateError):
    """A peer broke the PostgreSQL wire protocol, or used a part that is refused."""

    code = "protocol"
    sqlstate = "08P01"
    http_status = 400


class LimitExceeded(DbgateError):
    """A documented bound was passed."""

    code = "limit"
    sqlstate = "54000"
    http_status = 413


BY_EXIT_CODE: dict[int, type[DbgateError]] = {
    2: UsageError,
    3: NotSignedIn,
    4: Denied,
    5: ApprovalNeeded,
    6: Unreachable,
    7: VerificationFailed,
}
