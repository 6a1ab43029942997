"""What each answer of PostgreSQL settles: descriptions, results, COPY, errors, ReadyForQuery.

The scan of the server's bytes (backend.py) hands on whole messages; here is what they mean to the
head of the queue. A result that was to be masked and cannot be is blocked: the client gets our
ErrorResponse instead, and nothing more until ReadyForQuery.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from dbgate_core.errors import DbgateError, ProtocolViolation
from dbgate_core.native import Flight, Lane
from dbgate_core.pgwire.guard import (
    CopyMask,
    Guard,
    Outcome,
    Parameters,
    Permit,
    Refusal,
    Running,
    Status,
)
from dbgate_core.pgwire.messages import (
    decode_fields,
    encode_fields,
    error_response,
    message,
    notice,
)
from dbgate_core.pgwire.pending import Kind, Pending, Portal, Prepared, Queue, put
from dbgate_core.pgwire.rows import Field, parse_row_description

READIES: Final = frozenset({Kind.QUERY, Kind.CALL, Kind.OWN_END})
"""What the server answers with ReadyForQuery, however it ends."""


class Answers:
    """The state of a connection as the server's answers change it.

    `capped` is what may change so many rows only, until that is decided: all else waits for it.
    `acted`: an answer of the server made something due towards it, or the client go on.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._queue = Queue()
        self.statements: dict[str, object] = {}
        self.portals: dict[str, object] = {}
        self.lane = Lane(self.statements, self.portals, Prepared, self._settled_in_lane)
        self.skipping = False
        self.held = False
        self.transaction_status = "I"
        self._copy_mask: CopyMask | None = None
        self._muted = False
        self._block_notice = b""
        self._told = b""
        self.server_ended = False
        self.capped: Pending | None = None
        self.acted = False
        self._to_server: list[bytes] = []

    @property
    def pending(self) -> Queue:
        """The queue. Who looks at it finds all that is under way in it: the lane is left."""
        if self.lane.busy:
            self._leave_lane()
        return self._queue

    def _leave_lane(self) -> None:
        """What the lane took on goes on here; it is closed."""
        taken, flights = self.lane.leave()
        queue = self._queue
        queue.passed(taken - len(flights))
        moving = [flight for flight in flights if flight.parsed or flight.text is not None]
        if moving:
            put(self.statements, "", moving[0].before)
        for flight in flights:
            permit, running = self.guard.begun(flight)
            if flight.text is None:
                self._goes_on(flight, permit, running)
            else:
                entry = Pending(Kind.QUERY, permit, running)
                queue.push(entry)
                entry.set(self.statements, "", None)
                entry.set(self.portals, "", None)

    def _goes_on(self, flight: Flight, permit: Permit, running: Running) -> None:
        """An exchange of the lane, in the queue."""
        queue = self._queue
        portal = _portal_of(flight, queue.segment)
        if flight.parsed:
            parsed = Pending(Kind.PARSE)
            queue.push(parsed)
            portal.prepared = replace(portal.prepared, segment=queue.segment)
            parsed.set(self.statements, "", portal.prepared)
        own = flight.own_describe
        entry = Pending(Kind.EXCHANGE, permit, running, portal=portal, own_describe=own)
        entry.set(self.portals, "", portal)
        queue.push(entry)

    def _settled_in_lane(self, flight: Flight, status: str) -> None:
        """An answer in the lane left the transaction, or the portals, otherwise than they were."""
        self.lane.status = ord(status)
        self._is_ready(status)
        if status == "I":
            self.portals.clear()
            return
        if flight.text is not None:
            self.portals.pop("", None)
            return
        portal = _portal_of(flight, self._queue.segment - 1)
        portal.planned = True
        self.portals[""] = portal

    def _redacted(self, head: Pending | None, body: bytes) -> bytes:
        permit = head.permit if head else None
        return encode_fields(self.guard.redact(permit, decode_fields(body)))

    def _complete(self, head: Pending, body: bytes) -> None:
        tag = body.rstrip(b"\0").decode("utf-8", "replace")
        rows = rows_of(tag)
        if rows is not None:
            head.rows = (head.rows or 0) + rows
        head.tag = tag
        self._end_result(head)
        if head.kind is Kind.EXECUTE:
            blocked = head.blocked.sqlstate if head.blocked else ""
            status = Status.ERROR if blocked else Status.OK
            self._settle(head, Outcome(status, tag, head.rows, blocked))

    def _end_result(self, head: Pending) -> None:
        """One result is over; the next of the same Query has its own description."""
        self._copy_mask = None
        head.mask = None
        head.described = head.copying_out = False
        if head.copying_in:
            self.pending.copy_in_done()

    def _suspended_or_empty(self, head: Pending, body: bytes) -> None:
        if head.kind is Kind.EXECUTE:
            self._settle(head, Outcome(Status.OK, "", None))

    def _parsed(self, head: Pending, body: bytes) -> None:
        self.pending.pop()

    def _described(self, head: Pending, body: bytes) -> bytes | None:
        """RowDescription: plan the masks before the first row."""
        fields = parse_row_description(body)
        if head.kind is Kind.QUERY:
            head.described = True
            self._plan_query(head, fields)
            return None
        self.pending.pop()
        if head.prepared is not None:
            head.prepared.fields = fields
        elif head.portal is not None:
            blocked = self._plan_portal(head.portal, fields)
            following = self.pending.head
            if blocked is not None:
                self._block(following or head, blocked)
        return b"" if head.kind is Kind.OWN_DESCRIBE else None

    def _plan_query(self, head: Pending, fields: tuple[Field, ...]) -> None:
        try:
            head.mask = self.guard.rows(permit_of(head), fields)
        except DbgateError as exc:
            self._block(head, exc)

    def _plan_portal(self, portal: Portal, fields: tuple[Field, ...]) -> DbgateError | None:
        try:
            portal.mask = self.guard.rows(portal.prepared.permit, fields)
        except DbgateError as exc:
            return exc
        portal.planned, portal.rowless = True, False
        return None

    def _no_data(self, head: Pending, body: bytes) -> bytes | None:
        self.pending.pop()
        if head.prepared is not None:
            head.prepared.fields = ()
        elif head.portal is not None:
            head.portal.planned = head.portal.rowless = True
        return b"" if head.kind is Kind.OWN_DESCRIBE else None

    def _copy_in(self, head: Pending, body: bytes) -> None:
        if self._muted:
            raise ProtocolViolation("a COPY FROM STDIN behind a result that could not be masked")
        self.pending.copy_in_begins()
        if self.held and self.pending.copying_in:
            raise ProtocolViolation("a statement inside a COPY FROM STDIN")

    def _copy_out(self, head: Pending, body: bytes) -> None:
        binary, columns = body[:1] == b"\1", int.from_bytes(body[1:3], "big")
        head.copying_out = True
        try:
            self._copy_mask = self.guard.copy_out(permit_of(head), binary, columns)
        except DbgateError as exc:
            self._block(head, exc)

    def _copy_data(self, head: Pending, body: bytes) -> bytes:
        mask = self._copy_mask
        if mask is None:
            return b""
        try:
            masked = mask.rewrite(body)
        except DbgateError as exc:
            self._block(head, exc)
            return b""
        finally:
            head.values = mask.values
        return message(b"d", masked) if masked else b""

    def _copy_done(self, head: Pending, body: bytes) -> bytes | None:
        mask = self._copy_mask
        if mask is None:
            return None
        try:
            rest = mask.finish()
        except DbgateError as exc:
            self._block(head, exc)
            return b""
        finally:
            head.values = mask.values
        return (message(b"d", rest) if rest else b"") + message(b"c", b"")

    def _error(self, head: Pending, body: bytes) -> bytes:
        """ErrorResponse: ours instead, if we caused it; else the server's, redacted."""
        self._copy_mask = None
        if head.copying_in:
            self.pending.copy_in_failed()
        fields = decode_fields(body)
        sqlstate = head.refusal.sqlstate if head.refusal else fields.get("C", "")
        self.server_ended = fields.get("V", fields.get("S")) in ("FATAL", "PANIC")
        if head.refusal is not None and not self.server_ended:
            shown = error_response(head.refusal)
        else:
            shown = message(b"E", self._redacted(head, body))
        if head.kind in READIES:
            head.failed = sqlstate
        elif head.kind is not Kind.SYNC:
            self._skip(sqlstate)
        return shown

    def _skip(self, sqlstate: str) -> None:
        """The server discards what follows, up to Sync; behind a COPY that may be an earlier one."""
        skipped, synced = self.pending.skip_to_sync()
        failed = next((e for e in skipped if e.kind is not Kind.OWN_DESCRIBE), None)
        others = Status.LOST if self.pending.late else Status.SKIPPED
        for entry in skipped:
            status = Status.ERROR if entry is failed else others
            code = sqlstate if entry is failed else ""
            self._end(entry, Outcome(status, entry.tag, entry.rows, code))
        self.skipping = not synced

    def _ready(self, head: Pending, body: bytes) -> None:
        self._is_ready(status_of(body))
        self._copy_mask = None
        self.pending.pop()
        if self.transaction_status == "I":
            self.pending.end_transaction(self.portals)
        if head.kind in READIES:
            sqlstate = head.failed or (head.blocked.sqlstate if head.blocked else "")
            status = Status.ERROR if sqlstate else Status.OK
            self._end(head, Outcome(status, head.tag, head.rows, sqlstate))

    def _is_ready(self, status: str) -> None:
        self.transaction_status = status
        self.guard.transaction(status)

    def _block(self, head: Pending, exc: DbgateError) -> None:
        """What was to be masked cannot be: our ErrorResponse, then nothing until ReadyForQuery."""
        self._copy_mask = None
        if not self._muted:
            head.blocked = Refusal(exc.sqlstate, exc.message, hint=exc.hint, rule=exc.rule)
            self._muted = True
            self._block_notice = error_response(head.blocked)

    def _settle(self, head: Pending, outcome: Outcome) -> None:
        self.pending.pop()
        self._end(head, outcome)

    def _end(self, entry: Pending, outcome: Outcome) -> None:
        if self.capped is entry:
            self.capped = None
        if entry.running is not None:
            running, entry.running = entry.running, None
            if entry.values:
                outcome = replace(outcome, masked_values=entry.values)
            if told := self.guard.end(running, outcome):
                self._told += notice(told, "")


def _portal_of(flight: Flight, segment: int) -> Portal:
    prepared = flight.prepared
    if not isinstance(prepared, Prepared):
        raise TypeError("an exchange of no prepared statement")
    parameters = Parameters(flight.parameters, flight.values)
    return Portal(prepared, parameters, segment, describing=True)


def permit_of(head: Pending) -> Permit:
    """The permit of a statement that the server answers. Raises ProtocolViolation without one."""
    if head.permit is None:
        raise ProtocolViolation("a result of a statement that was refused")
    return head.permit


@lru_cache(maxsize=256)
def well(tag: str) -> Outcome:
    """The outcome of a statement that went well: mostly one of a few."""
    return Outcome(Status.OK, tag, rows_of(tag))


def rows_of(tag: str) -> int | None:
    """The row count at the end of a command tag."""
    last = tag.rsplit(" ", 1)[-1]
    return int(last) if last.isascii() and last.isdigit() else None


def status_of(body: bytes) -> str:
    """ReadyForQuery's transaction status: idle, in a transaction, or in a failed one."""
    if body not in (b"I", b"T", b"E"):
        raise ProtocolViolation("a malformed ReadyForQuery")
    return body.decode()


ANSWER = {
    "T": Answers._described,
    "n": Answers._no_data,
    "t": lambda self, head, body: None,
    "D": lambda self, head, body: None,
    "C": Answers._complete,
    "I": Answers._suspended_or_empty,
    "s": Answers._suspended_or_empty,
    "V": lambda self, head, body: None,
    "1": Answers._parsed,
    "2": Answers._parsed,
    "3": Answers._parsed,
    "G": Answers._copy_in,
    "H": Answers._copy_out,
    "d": Answers._copy_data,
    "c": Answers._copy_done,
    "E": Answers._error,
    "Z": Answers._ready,
}
