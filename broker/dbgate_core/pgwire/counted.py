"""Answers to what may change so many rows only: counted, then committed or rolled back (capped.py)."""

from __future__ import annotations

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.answers import ANSWER, Answers, rows_of, status_of
from dbgate_core.pgwire.capped import (
    COPY_FAIL,
    OWN_COMMIT,
    OWN_ROLLBACK,
    REFUSED_PARSE,
    REFUSED_QUERY,
    SYNC,
    Capped,
)
from dbgate_core.pgwire.guard import Outcome, Status
from dbgate_core.pgwire.messages import decode_fields, error_response, message
from dbgate_core.pgwire.pending import Kind, Pending


class Counted(Answers):
    """Settles those messages; what it sends the server meanwhile is `acted`."""

    def _on_capped(self, head: Pending, capped: Capped, kind: str, body: bytes) -> bytes | None:
        """Handle an answer: None passes it unchanged, else what goes instead of it."""
        match head.kind, kind:
            case Kind.OWN_BEGIN, "E":
                return self._not_begun(head, body)
            case Kind.OWN_BEGIN, "C":
                self.pending.pop()
                return b""
            case (Kind.OWN_BEGIN, _) | (Kind.OWN_END, "C"):
                return b""
            case Kind.OWN_END, "E":
                return self._end_failed(head, capped, body)
            case Kind.OWN_END, _:
                return self._decided(head, capped, body)
            case Kind.QUERY, "Z":
                return self._query_over(head, capped, body)
            case Kind.EXECUTE, "C" | "s":
                return self._executed(head, capped, kind, body)
        return self._passing(head, capped, kind, body)

    def _passing(self, head: Pending, capped: Capped, kind: str, body: bytes) -> bytes | None:
        """As ever; but the last CommandComplete waits, and after one row too many nothing passes."""
        if kind == "G" and capped.overrun is not None:
            self._send(COPY_FAIL)
            return b""
        if kind == "G" and self.held:  # the client's Sync before the data: the server ignores it
            self.held, self.acted = False, True
        before, capped.withheld = capped.withheld, b""
        shown = ANSWER[kind](self, head, body)
        if kind == "C" and head.kind is Kind.QUERY:
            capped.count(head.tag, rows_of(head.tag))
            if capped.overrun is not None:
                self._muted = True
                return before
            elif capped.own:
                capped.withheld, shown = message(b"C", body), b""
        if self._muted:
            first, self._block_notice = self._block_notice, b""
            return first
        if not before:
            return shown
        return before + (message(kind.encode(), body) if shown is None else shown)

    def _executed(self, head: Pending, capped: Capped, kind: str, body: bytes) -> bytes | None:
        """Its implicit transaction, or the client's block, is still open."""
        if kind == "s":
            capped.suspended()
        else:
            head.tag = body.rstrip(b"\0").decode("utf-8", "replace")
            capped.count(head.tag, rows_of(head.tag))
        if capped.overrun is None:
            return self._passing(head, capped, kind, body)
        head.rows = rows_of(head.tag)
        self._end_result(head)
        self.pending.pop()
        self._follow(head, Pending(Kind.PARSE, refusal=capped.overrun), REFUSED_PARSE)
        return b""

    def _query_over(self, head: Pending, capped: Capped, body: bytes) -> bytes | None:
        status = status_of(body)
        if status == "I" and (capped.own or capped.overrun):
            raise ProtocolViolation("the server ended a transaction that it was not told to end")
        self._muted = False
        overrun = capped.overrun
        if capped.own:
            keep = status == "T" and overrun is None
            self._is_ready(status)
            self.pending.pop()
            end = Pending(Kind.OWN_END, failed=head.failed, blocked=head.blocked, capped=capped)
            self._follow(head, end, OWN_COMMIT if keep else OWN_ROLLBACK)
            return b""
        if overrun is None:
            return ANSWER["Z"](self, head, body)
        if status == "E":  # by itself, behind what changed too much
            head.failed = overrun.sqlstate
            ANSWER["Z"](self, head, body)
            return error_response(overrun) + message(b"Z", body)
        self._is_ready(status)
        self.pending.pop()
        self._follow(head, Pending(Kind.QUERY, refusal=overrun), REFUSED_QUERY)
        return b""

    def _follow(self, head: Pending, entry: Pending, sent: bytes) -> None:
        """Send what decides on the head's changes; its statement ends with that."""
        entry.permit, entry.tag, entry.rows = head.permit, head.tag, head.rows
        entry.running, head.running = head.running, None
        self.pending.push(entry)
        self.capped = entry
        self._send(sent)

    def _send(self, sent: bytes) -> None:
        self._to_server.append(sent)
        self.acted = True

    def _decided(self, head: Pending, capped: Capped, body: bytes) -> bytes:
        """ReadyForQuery behind dbgate's COMMIT or ROLLBACK: that of the client's Query."""
        status = status_of(body)
        self._is_ready(status)
        if status != "I":  # a cancel came to the ROLLBACK
            self._send(OWN_ROLLBACK)
            return b""
        self.pending.pop()
        self.pending.end_transaction(self.portals)
        overrun = capped.overrun
        refused = overrun or head.blocked
        sqlstate = refused.sqlstate if refused else head.failed
        shown = b"" if sqlstate else capped.withheld
        if overrun is not None and head.blocked is None:
            shown = error_response(overrun)
        self._end(head, Outcome(_status(sqlstate), head.tag, head.rows, sqlstate))
        return shown + message(b"Z", body)

    def _end_failed(self, head: Pending, capped: Capped, body: bytes) -> bytes | None:
        """COMMIT fails as the client's own would (a deferred constraint); ROLLBACK is tried again."""
        failed = head.failed
        shown = ANSWER["E"](self, head, body)
        if self.server_ended or not (capped.overrun or failed):
            return shown
        head.failed = failed
        return b""

    def _not_begun(self, head: Pending, body: bytes) -> bytes:
        """The server skips the Query until a Sync, whose ReadyForQuery is then the client's."""
        fields = decode_fields(body)
        self.server_ended = fields.get("V", fields.get("S")) in ("FATAL", "PANIC")
        shown = message(b"E", self._redacted(head, body))
        if not self.server_ended:
            self.pending.pop()
            query = self.pending.pop()
            self._end(query, Outcome(Status.ERROR, sqlstate=fields.get("C", "")))
            self.pending.push(Pending(Kind.SYNC))
            self._send(SYNC)
        return shown


def _status(sqlstate: str) -> Status:
    return Status.ERROR if sqlstate else Status.OK
