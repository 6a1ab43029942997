"""One connection's PostgreSQL session after both log-ins, sans-io: the client's half.

Four doors: feed it bytes of either peer (`receive_client`, `receive_server`), take what goes to
either (`take_for_server`, `take_for_client`). It asks its guard and holds no socket and no clock.

A message is whole before its first byte goes on, except data that nobody judges: CopyData of the
client, and rows or CopyData of the server that carry no mask, which pass in pieces.

A refused text is replaced by one that the server refuses, and the server's ErrorResponse by ours,
so the server itself aborts the transaction, skips to Sync and answers ReadyForQuery. A refused
Bind, Describe or Execute is replaced by a Parse of that text, for the same reason: a made-up name
could be one that the client defined.

While the guard is stale nothing that it would judge is taken: the session is *held*, asks the
server to flush what it owes, and goes on with `resume` once it is *drained* and the guard fresh. So
it is, too, when a message names what an earlier segment defined and the server has not confirmed:
after an error there the name may mean something else than what was judged. And behind the end of a
COPY: whether the server reads a Sync before it inside the copy, or answers it, says what it skips.

A text that takes long to judge waits in the same way until `aside`, what its guard has to do first,
was done by somebody, while other connections go on.

What may change so many rows only is counted before anything behind it goes on (capped.py).

A text that the guard holds waits in the same way, once the server owes nothing: somebody else
decides, and `resume` takes the refusal that is due unless the guard, asked again, lets it run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dbgate_core.errors import DbgateError, LimitExceeded, ProtocolViolation
from dbgate_core.native import asked
from dbgate_core.pgwire import frontend
from dbgate_core.pgwire.backend import Backend
from dbgate_core.pgwire.capped import (
    OWN_BEGIN,
    REFUSED_PARSE,
    REFUSED_QUERY,
    REFUSED_TEXT,
    UNSYNCED,
    Capped,
)
from dbgate_core.pgwire.exchange import Asked
from dbgate_core.pgwire.function_call import RESULT, called
from dbgate_core.pgwire.guard import (
    STILL,
    Guard,
    Hold,
    Moved,
    Names,
    Parameters,
    Permit,
    Refusal,
)
from dbgate_core.pgwire.lane import MAX_PARSED_BYTES
from dbgate_core.pgwire.messages import (
    HEADER,
    HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_SMALL_BYTES,
    MAX_SQL_BYTES,
    MAX_STREAMED_BYTES,
    NotUtf8,
    cstring,
    error_response,
    message,
)
from dbgate_core.pgwire.pending import Kind, Pending, Portal, Prepared
from dbgate_core.pgwire.tail import Tail
from dbgate_core.pgwire.taken import Taken

FLUSH: Final = message(b"H", b"")
DESCRIBE_UNNAMED: Final = message(b"D", b"P\0")
_BIND: Final = ord("B")
_COPY_DATA: Final = ord("d")
_DATA: Final = frozenset(b"dcfH")
"""What passes while it is counted what a statement changed."""
_UNJUDGED: Final = frozenset(b"dcfSHX")
"""What passes while the guard is stale: data, and what makes the server answer."""
_SMALL: Final = frozenset(b"CDEHSXc")
_OPENS: Final = frozenset("PBDEC")
"""What makes the server begin an implicit transaction, which lasts until Sync."""
_CLOSES: Final = frozenset("QFS")
_UNKNOWN_STATEMENT: Final = "26000"
_UNKNOWN_PORTAL: Final = "34000"
_UNKNOWN_FUNCTION: Final = Refusal(
    "0A000",
    "dbgate passes FunctionCall messages for large objects only",
    hint="call the function in a SELECT",
)
_UNMASKED_RESULT: Final = Refusal(
    "0A000",
    "the result of a FunctionCall message cannot be masked",
    hint="call the function in a SELECT",
)


class _Doubt(Exception):
    """A name whose meaning the server has yet to confirm, or a text that waits for leave.

    Nothing was done about the message.
    """


class Session(Backend):
    """The relay of one connection."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._client = Tail()
        self._client_skip = 0
        self._hold: Hold | None = None
        self.aside: Callable[[], None] | None = None
        self._answer: Refusal | None = None
        self._unsynced = False
        self._taken = Taken()
        self.terminated = False

    @property
    def held_bytes(self) -> int:
        """How many bytes of the client wait: of a message that is not whole, or held."""
        return self._client.size_bytes

    @property
    def cuts_client_message(self) -> bool:
        """Whether a message of the client has gone to the server only in part."""
        return self._client_skip > 0

    @property
    def asks(self) -> Hold | None:
        """The text that waits for leave, once drained; None when there is nothing to decide.

        So it is behind an error: the server drops the message, or the transaction has failed.
        """
        return None if self.skipping or self.transaction_status == "E" else self._hold

    @property
    def in_transaction(self) -> bool:
        """Whether the server keeps a transaction open, with its locks, while nothing is sent."""
        return self.transaction_status != "I" or self._unsynced

    def resume(self, answer: Refusal | None = None) -> None:
        """Go on after a hold; the guard is fresh. Raises as `receive_client` does.

        `answer` is for the text that waited for leave, unless it is judged otherwise by now.
        """
        self.held, self._hold, self.aside = False, None, None
        self._answer = None if self.skipping else answer or self._answer
        self.receive_client(b"")

    def receive_client(self, data: bytes) -> None:
        """Take bytes of the client. Raises ProtocolViolation or LimitExceeded: then close."""
        lane = self.lane
        if lane.open:
            done = lane.ask(data)
            if done:
                self._to_server.append(lane.out(data, done))
                data = data[done:]
                if not data:
                    return
        self._scan_client(data)
        lane.open = self._at_rest

    @property
    def _at_rest(self) -> bool:
        cut = self._client_skip or self._client.size_bytes
        return not (self.terminated or self._unsynced or cut) and super()._at_rest

    def _scan_client(self, data: bytes) -> None:
        self._leave_lane()
        if self.held or self.terminated:
            self._client.add(data)
            return
        if self._client.size_bytes:
            data = self._client.take(data)
        position = start = 0
        if self._client_skip:
            position = min(self._client_skip, len(data))
            self._client_skip -= position
        size = len(data)
        need = HEADER_BYTES
        while size - position >= HEADER_BYTES and not self.terminated:
            kind, length = HEADER.unpack_from(data, position)
            if not 4 <= length <= _LIMITS.get(kind, 0):
                _check_header(kind, length)
            end = position + 1 + length
            if kind == _COPY_DATA:
                self._client_skip = max(0, end - size)
                position = min(end, size)
                continue
            if end > size:
                need = 1 + length
                break
            if self.capped is not None and kind not in _DATA and not self._queue.copying_in:
                self.held = True
                need = 0
                break
            if kind not in _UNJUDGED and not self.skipping and self._must_wait():
                self.held = True
                need = 0
                break
            if kind == _BIND and (run := asked(data, position)) and self._exchange(run, data):
                if not run.described:
                    self._to_server.append(data[start : run.bind_end] + DESCRIBE_UNNAMED)
                    start = run.bind_end
                position = run.end
                continue
            try:
                replacement = self._client_message(chr(kind), data[position + HEADER_BYTES : end])
            except _Doubt:
                self.held = True
                need = 0
                break
            except NotUtf8 as exc:
                replacement = self._refuse_text(_TEXTS[kind], _refusal(exc))
            if replacement is not None:
                self._to_server.append(data[start:position] + replacement)
                start = end
            position = end
        if position > start:
            self._to_server.append(data[start:position] if start or position < size else data)
        if self.held:
            self._to_server.append(FLUSH)
        if position < size:
            self._client.keep(data[position:], need)

    def _must_wait(self) -> bool:
        """Whether nothing may be judged now: the catalog is old, or a COPY's outcome not known.

        Raises ProtocolViolation inside a COPY, where PostgreSQL, too, ends the connection.
        """
        if self.pending.copying_in:
            raise ProtocolViolation("a statement inside a COPY FROM STDIN")
        return self.guard.stale or self.pending.ends_copy

    def _client_message(self, kind: str, body: bytes) -> bytes | None:
        """Handle one whole message: None passes it unchanged, else what goes instead of it."""
        if self.skipping and kind not in "SX":
            if self.pending.late and kind not in "cfH":
                raise ProtocolViolation(
                    "a statement sent before the end of a failed COPY was known"
                )
            return b""
        replacement = _HANDLERS[kind](self, body)
        if kind in _OPENS:
            self._unsynced = True
        elif kind in _CLOSES:
            self._unsynced = False
        return replacement

    def _query(self, body: bytes) -> bytes | None:
        text, end = cstring(body, 0)
        if end != len(body):
            raise ProtocolViolation("a Query with bytes left over")
        entry = Pending(Kind.QUERY)
        verdict = self._judge(text)
        if not isinstance(verdict, Refusal) and verdict.row_cap is not None:
            verdict = self._capped_apart(verdict)
        if not isinstance(verdict, Refusal):
            verdict = self._begin(entry, verdict, None, "simple")
        own = b""
        if not isinstance(verdict, Refusal) and verdict.row_cap is not None:
            own = self._cap_query(entry, verdict.row_cap)
        self.pending.push(entry)
        entry.set(self.statements, "", None)
        entry.set(self.portals, "", None)
        if isinstance(verdict, Refusal):
            entry.refusal = verdict
            return REFUSED_QUERY
        return own + message(b"Q", body) if own else None

    def _capped_apart(self, permit: Permit) -> Permit | Refusal:
        """Whether a Query's changes can be counted: by then it must be known which transaction it is in."""
        if not self.drained:
            raise _Doubt
        return UNSYNCED if self._unsynced else permit

    def _cap_query(self, entry: Pending, limit: int) -> bytes:
        """Have the Query counted; the BEGIN that goes before it, if no transaction is open."""
        entry.capped = Capped(limit, own=self.transaction_status == "I")
        self.capped = entry
        if not entry.capped.own:
            return b""
        for names in (self.statements, self.portals):
            names.pop("", None)  # the BEGIN's own, from now on
        self.pending.push(Pending(Kind.OWN_BEGIN, capped=entry.capped))
        return OWN_BEGIN

    def _function_call(self, body: bytes) -> bytes | None:
        call = called(body)
        if call is None:
            return self._refuse_text(Kind.QUERY, _UNKNOWN_FUNCTION)
        entry = Pending(Kind.CALL)
        verdict = self._judge(call.text)
        if not isinstance(verdict, Refusal):
            verdict = self._shows_result(verdict)
        if not isinstance(verdict, Refusal):
            verdict = self._begin(entry, verdict, call.arguments, "function call")
        if isinstance(verdict, Refusal):
            return self._refuse_text(Kind.QUERY, verdict)
        self.pending.push(entry)
        return None

    def _shows_result(self, permit: Permit) -> Permit | Refusal:
        """A FunctionCallResponse is one value without a description: it passes in clear, or not at all."""
        try:
            clear = self.guard.rows(permit, RESULT) is None
        except DbgateError as exc:
            return _refusal(exc)
        return permit if clear else _UNMASKED_RESULT

    def _refuse_text(self, kind: Kind, refusal: Refusal) -> bytes:
        """Refuse a message that nobody could judge."""
        entry = Pending(kind, refusal=refusal)
        self.pending.push(entry)
        if kind is not Kind.QUERY:
            return REFUSED_PARSE
        entry.set(self.statements, "", None)
        entry.set(self.portals, "", None)
        return REFUSED_QUERY

    def _parse(self, body: bytes) -> bytes | None:
        parsed = frontend.parse(body)
        verdict = self._judge(parsed.text)
        entry = Pending(Kind.PARSE)
        self.pending.push(entry)
        self._renames(entry, parsed.name)
        self._taken.statement(parsed.name)
        if isinstance(verdict, Refusal):
            entry.refusal = verdict
            entry.set(self.statements, parsed.name, None)
            return message(b"P", parsed.name.encode() + b"\0" + REFUSED_TEXT + b"\0\0")
        prepared = self._prepared(verdict)
        if not parsed.name and len(body) <= MAX_PARSED_BYTES:
            prepared.parsed = body
        entry.set(self.statements, parsed.name, prepared)
        return None

    def _bind(self, body: bytes) -> bytes | None:
        bound = frontend.bind(body)
        prepared = self._known(self.statements, bound.statement)
        if not isinstance(prepared, Prepared):
            prepared = self._prepared_by_sql(bound.statement)
        entry = Pending(Kind.BIND)
        self.pending.push(entry)
        self._renames(entry, bound.portal)
        self._taken.portal(bound.portal)
        if isinstance(prepared, Refusal):
            entry.refusal = prepared
            entry.set(self.portals, bound.portal, None)
            return REFUSED_PARSE
        portal = Portal(prepared, bound.parameters, self.pending.segment)
        entry.permit = prepared.permit
        entry.set(self.portals, bound.portal, portal)
        return None

    def _prepared_by_sql(self, name: str) -> Prepared | Refusal:
        """What stands behind a name that no Parse gave. Raises _Doubt as `_judge` does."""
        if text := self.guard.behind(name):
            verdict = self._judge(text)
            return verdict if isinstance(verdict, Refusal) else self._prepared(verdict)
        what = f'prepared statement "{name}"' if name else "unnamed prepared statement"
        return Refusal(_UNKNOWN_STATEMENT, f"{what} does not exist")

    def _prepared(self, permit: Permit) -> Prepared:
        return Prepared(permit, self.pending.segment)

    def _exchange(self, run: Asked, data: bytes) -> bool:
        """Begin a whole exchange at once; False: it must go message by message, nothing was done."""
        prepared = self.statements.get(run.statement)
        if (
            not isinstance(prepared, Prepared)
            or prepared.masked
            or prepared.permit.moves is not STILL
            or prepared.permit.row_cap is not None
            or self.skipping
            or self.pending.copying_in
            or self.pending.doubtful(prepared.segment)
        ):
            return False
        parameters = Parameters(data[run.values_at : run.bind_end], run.values)
        permit = prepared.permit
        try:
            running = self.guard.begin(permit, parameters, "extended")
        except DbgateError:
            return False
        portal = Portal(prepared, parameters, self.pending.segment, describing=True)
        own = not run.described
        entry = Pending(Kind.EXCHANGE, permit, running, portal=portal, own_describe=own)
        entry.set(self.portals, "", portal)
        self.pending.push(entry)
        self._unsynced = False
        return True

    def _describe(self, body: bytes) -> bytes | None:
        kind, name = frontend.target(body)
        found = self._known(self.statements if kind == "S" else self.portals, name)
        entry = Pending(Kind.DESCRIBE)
        self.pending.push(entry)
        if isinstance(found, Prepared):
            entry.prepared, entry.permit = found, found.permit
        elif isinstance(found, Portal):
            entry.portal, entry.permit = found, found.prepared.permit
            found.describing = True
        return None  # a name of SQL's PREPARE or DECLARE: a description holds no values

    def _execute(self, body: bytes) -> bytes | None:
        name = frontend.execute(body)
        portal = self._known(self.portals, name)
        if not isinstance(portal, Portal):
            return self._refuse_execute(Pending(Kind.EXECUTE), _unknown("P", name))
        permit = portal.prepared.permit
        entry = Pending(Kind.EXECUTE, permit=permit, portal=portal)
        begun = self._begin(entry, permit, portal.parameters, "extended")
        if isinstance(begun, Refusal):
            return self._refuse_execute(entry, begun)
        own = b""
        if not (portal.planned or portal.describing):
            self.pending.push(Pending(Kind.OWN_DESCRIBE, permit=permit, portal=portal))
            own = message(b"D", b"P" + name.encode() + b"\0")
        self.pending.push(entry)
        if permit.row_cap is not None:
            entry.capped, self.capped = Capped(permit.row_cap), entry
        return own + message(b"E", body) if own else None

    def _refuse_execute(self, entry: Pending, refusal: Refusal) -> bytes:
        entry.refusal = refusal
        self.pending.push(entry)
        return REFUSED_PARSE

    def _close(self, body: bytes) -> None:
        kind, name = frontend.target(body)
        entry = Pending(Kind.CLOSE)
        self._renames(entry, name)
        entry.set(self.statements if kind == "S" else self.portals, name, None)
        self.pending.push(entry)

    def _sync(self, body: bytes) -> None:
        _empty(body)
        self.skipping = False
        self.pending.push(Pending(Kind.SYNC))

    def _flush(self, body: bytes) -> None:
        _empty(body)

    def _copy_end(self, body: bytes) -> None:
        self.pending.push(Pending(Kind.COPY_END))

    def _terminate(self, body: bytes) -> None:
        _empty(body)
        self.terminated = True

    def _known(self, names: dict[str, object], name: str) -> object:
        """What the name means. Raises _Doubt when the server may yet say that it means another."""
        found = names.get(name)
        if isinstance(found, Prepared | Portal):
            doubtful = self.pending.doubtful(found.segment)
        else:
            doubtful = self.pending.unsettled
        if doubtful:
            raise _Doubt
        return found

    def _judge(self, text: str) -> Permit | Refusal:
        """The verdict on a text. Raises _Doubt when it has to wait: for leave, or to be judged."""
        self.aside = self.guard.aside(text)
        if self.aside is not None:
            raise _Doubt
        answer, self._answer = self._answer, None
        try:
            verdict = self.guard.judge(text)
        except DbgateError as exc:
            return _refusal(exc)
        if not isinstance(verdict, Hold):
            return verdict
        if answer is None and not (self.drained and self.transaction_status == "E"):
            self._hold = verdict
            raise _Doubt
        return self.guard.refuse(verdict, answer or verdict.refusal)

    def _begin(
        self, entry: Pending, permit: Permit, parameters: Parameters | None, protocol: str
    ) -> Permit | Refusal:
        """Have the begin entry written; without it the statement is refused."""
        if self._taken.has_portals and self.drained and not self.in_transaction:
            self._taken.no_portals()
        if permit.moves is not STILL and (name := self._taken.run_by(permit.moves)):
            return _behind_the_log(name)
        try:
            entry.running = self.guard.begin(permit, parameters, protocol)
        except DbgateError as exc:
            return _refusal(exc)
        entry.permit = permit
        self._move(entry, permit.moves)
        return permit

    def _renames(self, entry: Pending, name: str) -> None:
        """The message gives a name another meaning; SQL knows none for the empty one."""
        if name:
            self._drop_runners(entry, frozenset({name}))
            self.guard.renamed(name)

    def _drop_runners(self, entry: Pending, moved: Names) -> None:
        """Forget the portals that would run what is behind a name by now: that is not what was described."""
        for name, portal in list(self.portals.items()):
            if isinstance(portal, Portal):
                runs = portal.prepared.permit.moves.runs
                if runs and (moved is None or runs & moved):
                    entry.set(self.portals, name, None)

    def _move(self, entry: Pending, moves: Moved) -> None:
        """Forget the names that the statement moves; and after code, the plans of open portals.

        A portal that rows are on their way from keeps its plan: a new one stands for its name.
        """
        if moves is STILL:
            return
        for gone in (moves.statements, moves.portals, None if moves.code else frozenset[str]()):
            self._drop_runners(entry, gone)
        for names, gone in ((self.statements, moves.statements), (self.portals, moves.portals)):
            if gone is None:
                entry.moves_names = True
            for name in list(names) if gone is None else names.keys() & gone:
                entry.set(names, name, None)
        if moves.code:
            for name, portal in self.portals.items():
                if isinstance(portal, Portal):
                    fresh = Portal(portal.prepared, portal.parameters, portal.segment)
                    self.portals[name] = fresh


def _refusal(exc: DbgateError) -> Refusal:
    return Refusal(exc.sqlstate, exc.message, hint=exc.hint, rule=exc.rule)


def _behind_the_log(name: str) -> Refusal:
    hint = "run it by Execute, or give it its name in SQL, by PREPARE or DECLARE"
    said = f'"{name}" was named by Parse or Bind: SQL would run it without a record of its text'
    return Refusal("0A000", said, hint=hint)


def _unknown(kind: str, name: str) -> Refusal:
    if kind == "S":
        return Refusal(_UNKNOWN_STATEMENT, f'prepared statement "{name}" does not exist')
    hint = "bind it again: dbgate executes only portals that it saw bound"
    return Refusal(_UNKNOWN_PORTAL, f'portal "{name}" does not exist', hint=hint)


def _empty(body: bytes) -> None:
    if body:
        raise ProtocolViolation("a Sync or Flush with a body")


def _check_header(kind: int, length: int) -> None:
    """Refuse an unknown type, and a length before anything of that size is held."""
    if kind not in _LIMITS:
        raise ProtocolViolation(f"a client message of the unknown type {chr(kind)!r}")
    if length < 4:
        raise ProtocolViolation(f"a client message of length {length}")
    limit = _LIMITS[kind]
    if length > limit + HEADER_BYTES:
        raise LimitExceeded(
            f"a client message {chr(kind)!r} of {length} bytes",
            hint=f"at most {limit} bytes pass; send data as parameters or with COPY",
        )


def fatal(exc: DbgateError) -> bytes:
    """The ErrorResponse with which a connection ends."""
    return error_response(_refusal(exc), severity="FATAL")


_HANDLERS = {
    "Q": Session._query,
    "F": Session._function_call,
    "P": Session._parse,
    "B": Session._bind,
    "D": Session._describe,
    "E": Session._execute,
    "C": Session._close,
    "S": Session._sync,
    "H": Session._flush,
    "c": Session._copy_end,
    "f": Session._copy_end,
    "X": Session._terminate,
}
"""What a client may send after its log-in, besides CopyData, which the server takes or ignores. A
missing key is a protocol error."""
_TEXTS: Final = {
    ord("Q"): Kind.QUERY,
    ord("P"): Kind.PARSE,
    ord("B"): Kind.BIND,
    ord("D"): Kind.DESCRIBE,
    ord("E"): Kind.EXECUTE,
    ord("C"): Kind.CLOSE,
}
"""The messages that hold text."""
_LIMITS: Final = {
    **dict.fromkeys(map(ord, _HANDLERS), MAX_MESSAGE_BYTES),
    **dict.fromkeys(_SMALL, MAX_SMALL_BYTES),
    **dict.fromkeys(b"QP", MAX_SQL_BYTES),
    _COPY_DATA: MAX_STREAMED_BYTES,
}
"""The longest body of each."""
