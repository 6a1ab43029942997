"""The server's half of a session: the scan of what PostgreSQL sends, and what of it passes.

The scan reads message headers only. What needs no look goes on as it came, in one piece with its
neighbours; rows without a mask are not even waited for.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from dbgate_core.errors import DbgateError, LimitExceeded, ProtocolViolation
from dbgate_core.native import (
    COMPILED,
    answered,
    end_of_run,
    end_of_whole_run,
    key_of,
    replied,
)
from dbgate_core.pgwire.answers import ANSWER, status_of, well
from dbgate_core.pgwire.counted import Counted
from dbgate_core.pgwire.exchange import BIND_COMPLETE
from dbgate_core.pgwire.guard import CopyMask, Guard, Outcome, Permit, RowMask, Status
from dbgate_core.pgwire.messages import (
    HEADER,
    HEADER_BYTES,
    MAX_HELD_BYTES,
    MAX_STREAMED_BYTES,
    cstring,
    message,
)
from dbgate_core.pgwire.pending import ANSWERS, Kind, Pending, Portal, Prepared
from dbgate_core.pgwire.rows import parse_row_description
from dbgate_core.pgwire.runs import DATA_ROW
from dbgate_core.pgwire.tail import Tail

MAX_TRACKS: Final = 32
"""Of a connection's prepared statements, some 4 KB each."""
_COPY_DATA: Final = ord("d")
_FIRST: Final = frozenset(b"2TC")
"""What an answer may begin with that is settled at once."""
_ANY_TIME: Final = frozenset("NAS")
REQUIRED: Final = {"standard_conforming_strings": "on", "client_encoding": "UTF8"}
"""The judge reads SQL as the server does only while these hold."""


class _Blocked:
    """Stands for the mask of a result of which nothing more passes."""


_BLOCKED: Final = _Blocked()


class Backend(Counted):
    """Scans what the server sends, and settles what the queue holds."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._to_client: list[bytes] = []
        self._server = Tail()
        self._server_skip = 0
        self._interjected = b""
        self._tracked: deque[Prepared] = deque()

    def take_for_client(self) -> bytes:
        """What goes to the client now."""
        if self._interjected and not self.cuts_server_message:
            self._interject()
        parts, self._to_client = self._to_client, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def take_for_server(self) -> bytes:
        """What goes to the server now."""
        parts, self._to_server = self._to_server, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def drained(self) -> bool:
        """Whether the server owes no answer."""
        return self.pending.head is None

    @property
    def cuts_server_message(self) -> bool:
        """Whether a message of the server has gone to the client only in part."""
        return self._server_skip > 0

    def interject(self, notice: bytes) -> None:
        """Say something of our own to the client, between two messages of the server."""
        self._interjected += notice
        self.lane.open = False

    def _interject(self) -> None:
        notice, self._interjected = self._interjected, b""
        self._to_client.append(notice)

    def abort(self) -> None:
        """The connection is gone: what was running ends as *lost*. Calls again do nothing.

        Raises what the guard raised first, after every statement had its turn.
        """
        first: Exception | None = None
        for entry in self.pending.running:
            status = Status.ERROR if entry.failed else Status.LOST
            try:
                self._end(entry, Outcome(status, sqlstate=entry.failed or "08006"))
            except DbgateError as exc:
                first = first or exc
        if first is not None:
            raise first

    def receive_server(self, data: bytes) -> None:
        """Take bytes of the server. Raises ProtocolViolation or LimitExceeded: then close."""
        lane = self.lane
        if lane.open:
            done = lane.answer(data)
            if done:
                self._to_client.append(lane.out(data, done))
                data = data[done:]
            if not data:
                return
        self._scan_server(data)
        lane.open = self._at_rest

    @property
    def _at_rest(self) -> bool:
        """Whether nothing is under way, on neither side, and nothing due: the lane may be taken."""
        waits = self.skipping or self.held or self._muted or self._interjected
        cut = self._server_skip or self._server.size_bytes
        return not (waits or cut) and self._queue.idle

    def _scan_server(self, data: bytes) -> None:
        self._leave_lane()
        if self._server.size_bytes:
            data = self._server.take(data)
        size = len(data)
        start = 0
        need = HEADER_BYTES
        position = min(self._server_skip, size)
        self._server_skip -= position
        if self._interjected and not self._server_skip:
            self._to_client.append(data[:position])
            self._interject()
            start = position
        while size - position >= HEADER_BYTES:
            kind, length = HEADER.unpack_from(data, position)
            end = position + 1 + length
            if length < 4 or length > MAX_STREAMED_BYTES:
                raise ProtocolViolation(f"a server message of length {length}")
            if kind in _FIRST and (passed := self._at_once(data, position, start)):
                position, start = passed
                continue
            if kind in (DATA_ROW, _COPY_DATA):
                mask = self._data_mask(kind)
                if mask is None:
                    position = end_of_run(data, position, kind)
                    if position > size:
                        self._server_skip = position - size
                        position = size
                    continue
            if end > size:
                if length > MAX_HELD_BYTES:
                    raise LimitExceeded(
                        f"a server message {chr(kind)!r} of {length} bytes must be held whole",
                        hint=f"at most {MAX_HELD_BYTES} bytes are; select fewer bytes a row",
                    )
                need = 1 + length
                break
            if kind == DATA_ROW:
                end = end_of_whole_run(data, position, end)
                replacement: bytes | None = self._mask_rows(data[position:end])
            else:
                body = data[position + HEADER_BYTES : end]
                replacement = self._server_message(chr(kind), body)
            if replacement is not None:
                if position > start:
                    self._to_client.append(data[start:position])
                self._to_client.append(replacement)
                start = end
            position = end
        if position > start:
            whole = start == 0 and position == size
            self._to_client.append(data if whole else data[start:position])
        if position < size:
            self._server.keep(data[position:], need)

    def _at_once(self, data: bytes, position: int, start: int) -> tuple[int, int] | None:
        """Settle what is answered as it mostly is: the new position, and start of what waits.

        None: the answer is another, not whole, or to be masked, and goes message by message.
        """
        head = self.pending.head
        if head is None or self._muted or self.pending.late:
            return None
        if head.kind is Kind.EXCHANGE:
            answer = answered(data, position)
        elif head.kind is Kind.QUERY and head.fresh:
            answer = replied(data, position)
        else:
            return None
        if answer is None or not self._passes(head, data[answer.fields_at : answer.fields_end]):
            return None
        if head.own_describe:
            self._to_client.append(data[start : position + len(BIND_COMPLETE)])
            start = answer.fields_end
        outcome = well(answer.tag)
        description = data[answer.fields_at - HEADER_BYTES : answer.fields_end]
        self.pending.pop()
        if head.kind is Kind.EXCHANGE:  # ends with its CommandComplete, a Query with ReadyForQuery
            self._end(head, outcome)
        self._is_ready(answer.status)
        if answer.status == "I":
            self.pending.end_transaction(self.portals)
        self._end(head, outcome)
        if head.kind is Kind.EXCHANGE and head.portal is not None:
            self._track(head.portal, description)
        elif head.kind is Kind.QUERY and head.permit is not None and COMPILED:
            self._track_query(head.permit, description)
        return answer.end, start

    def _track(self, portal: Portal, description: bytes) -> None:
        """Let the lane know a statement that was run and shown; what has no description has no track."""
        prepared = portal.prepared
        known = prepared.track is not None and prepared.track.holds()
        if known or prepared.trackless:
            return
        whole = len(description) > HEADER_BYTES
        if whole:
            values = portal.parameters.count
            prepared.track = self.guard.track(prepared.permit, values, description)
        else:
            prepared.track = None
        prepared.trackless = prepared.track is None
        if prepared.track is not None:
            self._tracked.append(prepared)
            if len(self._tracked) > MAX_TRACKS:
                self._tracked.popleft().track = None
        if prepared.track is not None and prepared.parsed:
            self.lane.knows(prepared.parsed, prepared)

    def _track_query(self, permit: Permit, description: bytes) -> None:
        """The same of a shape that comes again."""
        key = key_of(permit.text.encode())
        if key is not None and len(description) > HEADER_BYTES and self.lane.wants(key):
            self.lane.knows_shape(key, self.guard.track_query(permit, description))

    def _passes(self, head: Pending, description: bytes) -> bool:
        """Whether a result of this description passes without a mask; no description: no result."""
        if head.permit is None:
            return False
        if description:
            fields = parse_row_description(description)
            try:
                if self.guard.rows(head.permit, fields) is not None:
                    if head.portal is not None:
                        head.portal.prepared.masked = True
                    return False
            except DbgateError:
                return False
        if head.portal is not None:
            head.portal.planned, head.portal.rowless = True, not description
        return True

    def _data_mask(self, kind: int) -> RowMask | CopyMask | _Blocked | None:
        """The mask of the rows or CopyData that come now; None: they pass without a look."""
        head = self.pending.head
        if head is None or (head.kind, chr(kind)) not in ANSWERS:
            raise ProtocolViolation(f"server data {chr(kind)!r} that nothing asked for")
        if self._muted:
            return _BLOCKED
        if kind == _COPY_DATA:
            if not head.copying_out:
                raise ProtocolViolation("CopyData without a CopyOutResponse")
            return self._copy_mask
        if head.portal is None:
            if not head.described:
                raise ProtocolViolation("a row that was never described")
            return head.mask
        if not head.portal.planned or head.portal.rowless:
            raise ProtocolViolation("a row that was never described")
        return head.portal.mask

    def _mask_rows(self, rows: bytes) -> bytes:
        head = self.pending.head
        mask = None if head is None else head.portal.mask if head.portal else head.mask
        if head is None or mask is None or self._muted:
            return b""
        before = mask.values
        try:
            return mask.rewrite(rows)
        except DbgateError as exc:
            self._block(head, exc)
            first, self._block_notice = self._block_notice, b""
            return first
        finally:
            head.values += mask.values - before

    def _server_message(self, kind: str, body: bytes) -> bytes | None:
        """Handle one whole message: None passes it unchanged, else what goes instead of it."""
        if kind in _ANY_TIME:
            return self._any_time(kind, body)
        head = self.pending.head
        if kind == "Z" and self._is_late(head):
            self._late_ready(body)
            return None
        if head is None:
            if kind == "E":
                self.server_ended = True
                return message(b"E", self._redacted(None, body))
            raise ProtocolViolation(f"a server message {kind!r} that nothing asked for")
        if head.kind is Kind.EXCHANGE:
            self.pending.spell_out()
            head = self.pending.head or head
        if (head.kind, kind) not in ANSWERS:
            raise ProtocolViolation(f"a server message {kind!r} in answer to {head.kind}")
        if head.refusal is not None and kind not in "EZ":
            raise ProtocolViolation(f"a server message {kind!r} to a statement that was refused")
        if kind not in "EZ":
            self.pending.late = 0
        if head.capped is not None:
            return self._on_capped(head, head.capped, kind, body)
        shown = ANSWER[kind](self, head, body)
        if self._muted and kind != "Z":
            first, self._block_notice = self._block_notice, b""
            return first
        if kind == "Z":
            self._muted = False
        if not self._told:
            return shown
        told, self._told = self._told, b""
        return told + (message(kind.encode(), body) if shown is None else shown)

    def _is_late(self, head: Pending | None) -> bool:
        """Whether a ReadyForQuery answers a Sync that the server was thought to have ignored."""
        if not self.pending.late:
            return False
        if head is None or head.kind is not Kind.SYNC:
            return head is None or not head.failed
        return False

    def _late_ready(self, body: bytes) -> None:
        self.pending.late -= 1
        self.skipping = False
        self._is_ready(status_of(body))

    def _any_time(self, kind: str, body: bytes) -> bytes | None:
        head = self.pending.head
        if kind == "N":
            return message(b"N", self._redacted(head, body))
        if kind == "S":
            name, position = cstring(body, 0)
            value, _ = cstring(body, position)
            if name in REQUIRED and value != REQUIRED[name]:
                raise ProtocolViolation(
                    f"the server's {name} became {value}",
                    hint=f"dbgate needs {name} = {REQUIRED[name]} to read SQL as the server does",
                )
            self.guard.parameter(name, value)
            return None
        channel, position = cstring(body, 4)
        payload, _ = cstring(body, position)
        shown = self.guard.notification(channel, payload)
        return message(b"A", body[:position] + shown.encode() + b"\0")
