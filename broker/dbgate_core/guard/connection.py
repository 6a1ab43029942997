"""The guard of one connection: judge a statement, record it, mask what comes back, record the end.

`judge` -> `begin` -> (`rows` | `copy_out` | `redact`) -> `end`, as the wire session calls them. A
statement that policy holds may run once for each approval: it is looked for when the text is judged, so
that nothing is even planned without one, and used up when the statement begins. Where none is found
the text waits for one, if its session waits at all and an approval could help.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final

from dbgate_core.ahead import Ahead
from dbgate_core.approval.digest import DEFAULT_SEARCH_PATH, statement_digest
from dbgate_core.audit import statement
from dbgate_core.audit.canonical import fragment
from dbgate_core.audit.form import MAX_CHARS, Filled
from dbgate_core.audit.recorder import Recorder
from dbgate_core.audit.statement import Said
from dbgate_core.decision import Decision, Verdict
from dbgate_core.earlier import Earlier
from dbgate_core.errors import DbgateError, Denied
from dbgate_core.guard.leave import Begun, Leave, masks_told, mine
from dbgate_core.guard.results import Results
from dbgate_core.guard.sight import Sight
from dbgate_core.guard.tracks import Tracks, began
from dbgate_core.holds import hold_of, refused, unapprovable
from dbgate_core.masking.foreseen import LONG_CHARS
from dbgate_core.meaning import is_plain, runs_code
from dbgate_core.native import Flight, Track
from dbgate_core.pgwire.capped import CODE, not_counted
from dbgate_core.pgwire.guard import (
    STILL,
    CopyMask,
    Hold,
    Outcome,
    Parameters,
    Permit,
    Refusal,
    RowMask,
    Running,
    Status,
)
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import SEARCH_PATH, Picture, Scope
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.names import execute_of, moved
from dbgate_core.sql.parser import NotParsed
from dbgate_core.verdicts import Judged, Verdicts

_DEFAULT_PATH: Final = ", ".join(DEFAULT_SEARCH_PATH)
"""As the server writes it."""
_MOVED_HINT: Final = (
    "keep them in columns that are protected too, under names that say so, or in a temporary table"
)


class ConnectionGuard:
    """`dbgate_core.pgwire.guard.Guard` for one connection."""

    def __init__(
        self,
        scope: Scope,
        picture: Picture,
        verdicts: Verdicts,
        recorder: Recorder,
        clock_ns: Callable[[], int],
    ) -> None:
        self._scope = scope
        self._entry = fragment(None)
        self._counts = scope.counts
        self._budget = scope.budget
        self._sight = Sight(scope, picture, clock_ns)
        self._meaning = self._sight.meaning
        self._search_path = scope.search_path
        self._results = Results(scope, self._sight)
        self._tracks = Tracks(self, scope, self._sight, verdicts, recorder, clock_ns)
        self._verdicts = verdicts
        self._recorder = recorder
        self._clock_ns = clock_ns
        self._earlier = Earlier()
        self._ahead = Ahead()
        self._closed = False
        self.statements = 0
        self._policy = ""
        self._follow_policy()

    @property
    def stale(self) -> bool:
        """As `Sight.stale`."""
        return self._sight.stale

    def renew(self, picture: Picture) -> None:
        """Take a new picture of the database."""
        self._sight.renew(picture)

    def aside(self, text: str) -> Callable[[], None] | None:
        """The judgement of a text that takes long, to be made on another thread; None if it is due now."""
        subject, path = self._scope.subject, self._search_path
        if self._verdicts.at_once(subject, text, self._sight.catalog, path):
            return None
        key = self._key(text)
        return None if self._ahead.has(key) else self._ahead.work(key, self._apart(text))

    def judge(self, text: str) -> Permit | Refusal | Hold:
        """Judge a text; a refusal stands in the log before it is given."""
        try:
            judged = self._judged(text)
            decision, digest, hold = self._released(text, judged)
        except DbgateError as exc:
            return self._refuse(text, None, Verdict.DENY, _refusal(exc), exc.code)
        verdict = self._ruled(text, judged, decision, digest)
        if hold is None or isinstance(verdict, Refusal):
            return verdict
        return hold

    def admit(self, setting: str) -> Permit | Refusal:
        """Judge the SET that a StartupMessage stands for: no approval is used up, so none counts."""
        try:
            judged = self._judged(setting)
        except DbgateError as exc:
            return self._refuse(setting, None, Verdict.DENY, _refusal(exc), exc.code)
        return self._ruled(setting, judged, judged.decision, "")

    def holds(self, hold: Hold) -> bool:
        """Whether the text still waits for the same leave; looked at anew only under other policies."""
        if self._verdicts.policy.version == self._policy:
            return True
        try:
            waits = self._released(hold.text, self._judged(hold.text))[2]
        except DbgateError:
            return False
        return waits is not None and (waits.digest, waits.approval) == (hold.digest, hold.approval)

    def refuse(self, hold: Hold, refusal: Refusal) -> Refusal:
        """Record that no leave came."""
        try:
            judged = self._judged(hold.text)
        except DbgateError as exc:
            return self._refuse(hold.text, None, Verdict.DENY, _refusal(exc), exc.code)
        why, observed = hold.approval, judged.decision.observed
        return self._refuse(hold.text, judged.analysis, Verdict.HOLD, refusal, why, observed)

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write an entry of this connection. Raises AuditUnavailable."""
        self._recorder.append(kind, {"scope": self._entry, **fields})

    def _released(self, text: str, judged: Judged) -> tuple[Decision, str, Hold | None]:
        """The decision with what approval there is, its digest; or with the one to wait for."""
        decision = judged.decision
        digest = self._digest(judged.analysis) if decision.verdict is Verdict.HOLD else ""
        if not digest:
            return decision, "", None
        if self._scope.releases.holds(digest, decision.approval):
            return self._approved(judged.analysis), digest, None
        runs_here = decision.role in ("", self._scope.subject.access_role)
        if not self._scope.waits or not runs_here:
            return decision, "", None
        hold = hold_of(text, judged.analysis, decision, digest)
        return self._approved(judged.analysis), "", hold

    def _ruled(
        self, text: str, judged: Judged, decision: Decision, digest: str
    ) -> Permit | Refusal:
        """Leave, or a refusal that stands in the log."""
        analysis = judged.analysis
        flow = judged.flow if self._ahead.made(judged) else self._sight.flow(judged)
        if decision.allowed and decision.obligations.mask and flow:
            moved = Refusal("42501", f"masking would be lost: {flow}", hint=_MOVED_HINT)
            return self._refuse(text, analysis, Verdict.DENY, moved, "masking.moved")
        cap = self._budget.limits.rows_affected
        if decision.allowed and cap is not None and analysis.uncounted and not digest:
            refusal = not_counted(cap, analysis.uncounted)
            return self._refuse(text, analysis, Verdict.DENY, refusal, CODE)
        if decision.allowed:
            return self._leave(text, judged, decision, digest)
        why, observed = decision.approval, decision.observed
        refusal = refused(decision, analysis, partial=self._sight.catalog.partial)
        return self._refuse(text, analysis, decision.verdict, refusal, why, observed)

    def _leave(self, text: str, judged: Judged, decision: Decision, digest: str) -> Leave:
        analysis = judged.analysis
        known = decision is judged.decision
        said = judged.said if known else statement.judged(analysis, decision)
        moves = judged.moves
        if moves is None:
            moves = moved(analysis.text) if analysis.moves_names else STILL
        if runs_code(analysis):
            moves = replace(moves, code=True)
        if analysis.executes or analysis.fetches:
            moves = replace(moves, executes=analysis.executes, fetches=analysis.fetches)
        seen = self._meaning.code_seen
        plain = is_plain(analysis)
        shown, policy = judged.shown, self._policy
        cap = self._budget.limits.rows_affected if analysis.changes and not digest else None
        return Leave(text, analysis, decision, said, shown, cap, plain, digest, moves, seen, policy)

    def begin(self, permit: Permit, parameters: Parameters | None, protocol: str) -> Running:
        """Write the begin entry. Raises AuditUnavailable, or Denied for an approval used up."""
        leave = mine(permit)
        said = leave.said
        if leave.policy != self._verdicts.policy.version:
            said = self._still(leave)
        if self._budget.bounded:
            self._budget.statement()
        if not leave.plain:
            self._meaning.demand_room(leave.analysis)
        if leave.analysis.searches:
            self._note_searches(leave)
        request = self._take(leave, parameters) if leave.digest else ""
        count = 0 if parameters is None else parameters.count
        form, text = said.form(protocol, count), leave.text
        fields: Mapping[str, object] = Filled(form, (self._entry, fragment(text)))
        if request or len(text) > MAX_CHARS:
            fields = {**form.fields, "scope": self._entry, "text": text}
            fields |= {"request": request} if request else {}
        begun = Begun(self._recorder.append("statement", fields), leave, self._clock_ns(), protocol)
        self.statements += 1
        self._counts.allowed[leave.analysis.kind] += 1
        if not leave.plain:
            self._meaning.follow(leave.analysis, self._sight.catalog, self._search_path)
            begun.renamed = self._meaning.renamed_count
        if len(leave.text) > LONG_CHARS:
            self._ahead.drop()
        return begun

    def _note_searches(self, leave: Leave) -> None:
        for alert in self._scope.series.note(leave.analysis.searches, self._clock_ns()):
            self.note("search_series", asdict(alert))

    def track(self, permit: Permit, values: int, description: bytes) -> Track | None:
        """As `Tracks.of_text`."""
        return self._tracks.of_text(mine(permit), values, description)

    def track_query(self, permit: Permit, description: bytes) -> Track | None:
        """As `Tracks.of_shape`."""
        return self._tracks.of_shape(mine(permit), description)

    def begun(self, flight: Flight) -> tuple[Permit, Running]:
        """What the lane began, by its track."""
        return began(flight)

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        """As `Results.rows`."""
        return self._results.rows(mine(permit), fields)

    def copy_out(self, permit: Permit, binary: bool, columns: int) -> CopyMask | None:
        """As `Results.copy_out`."""
        return self._results.copy_out(mine(permit), binary, columns)

    def redact(self, permit: Permit | None, fields: dict[str, str]) -> dict[str, str]:
        """As `Results.redact`."""
        return self._results.redact(None if permit is None else mine(permit), fields)

    def notification(self, channel: str, payload: str) -> str:
        """As `Results.notification`."""
        return self._results.notification(payload)

    def end(self, running: Running, outcome: Outcome) -> str | None:
        """Write the end entry; what the client is to be told. Raises AuditUnavailable: then the connection ends."""
        if not isinstance(running, Begun):
            raise TypeError("not a statement that this guard began")
        if not (running.leave.plain and outcome.status is Status.OK):
            self._meaning.ended(
                running.leave.analysis,
                ok=outcome.status is Status.OK,
                tag=outcome.tag,
                alone=running.protocol == "simple",
                since=running.renamed,
            )
        if outcome.status is Status.OK:
            self._earlier.ended(running.leave.analysis)
        duration_us = (self._clock_ns() - running.started_ns) // 1000
        self._counts.end(outcome, duration_us)
        form = statement.ended(outcome.status, outcome.tag, outcome.rows, outcome.sqlstate)
        fields: Mapping[str, object] = Filled(form, (running.index, duration_us, self._entry))
        if running.leave.masked:
            masked = [
                {"column": c.name, "class": c.data_class, "mask": c.mask}
                for c in running.leave.masked
            ]
            fields = {**fields, "masked": masked, "masked_values": outcome.masked_values}
        if running.leave.exposed and outcome.rows != 0:
            shown = running.leave.exposed.items()
            exposed = [{"column": name, "classes": list(classes)} for name, classes in shown]
            fields = {**fields, "exposed": exposed, "reason": self._scope.reason}
        told = None
        if self._scope.shows_masks and outcome.status is Status.OK:
            told = masks_told(running.leave, outcome.masked_values)
        if running.leave.finds:
            finds = running.leave.finds.items()
            found = [{"column": name, "class": c, "values": n} for (name, c), n in finds]
            fields = {**fields, "found": found}
            running.leave.finds.clear()
        self._recorder.append("statement_end", fields)
        return told

    def renamed(self, name: str) -> None:
        """Parse, Bind and Close share their names with SQL's PREPARE and DECLARE."""
        self._meaning.renamed(name)

    def behind(self, name: str) -> str:
        """Bind to what SQL prepared is EXECUTE of it, and judged, masked and recorded as that."""
        return execute_of(name) if name in self._meaning.names else ""

    def transaction(self, status: str) -> None:
        """Outside a transaction, schema changes are committed: everybody may see them now."""
        if status == "I" and self._meaning.uncommitted and self._meaning.committed():
            self._scope.epoch.value += 1

    def parameter(self, name: str, value: str) -> None:
        """Note a ParameterStatus: PostgreSQL 18 tells of search_path, and at the start of its default.

        A path that was lost once stays so, whatever it becomes.
        """
        if name == "search_path" and value != _DEFAULT_PATH:
            self._meaning.path_known = False

    def closed(self) -> None:
        """Write the connection's last entry, once."""
        if not self._closed:
            self._closed = True
            fields = {"scope": self._entry, "statements": self.statements}
            self._recorder.append("connection_closed", fields)

    def _judged(self, text: str) -> Judged:
        if self._verdicts.policy.version != self._policy:
            self._follow_policy()
            self._earlier.changed()
            self._meaning.distrust()
        subject, catalog, path = self._scope.subject, self._sight.catalog, self._search_path
        settled = not self._meaning.uncommitted
        judged = self._ahead.take(self._key(text)) if len(text) > LONG_CHARS else None
        if judged is None:
            judged = self._verdicts.judge(subject, text, catalog, path, settled=settled)
        elif settled and not self._meaning.shadows:
            self._verdicts.remember(subject, judged, catalog, path)
        self._earlier.demand(judged.analysis)
        return judged

    def _key(self, text: str) -> Hashable:
        """All that a judgement made ahead rests on, but the session itself."""
        meaning, version = self._meaning, self._verdicts.policy.version
        names = (meaning.uncommitted, meaning.clean, meaning.shadows)
        return text, version, self._sight.catalog.version, self._search_path, names

    def _apart(self, text: str) -> Callable[[], Judged]:
        """Judges on another thread, while the connection waits and nothing of it changes."""
        subject, catalog, path = self._scope.subject, self._sight.catalog, self._search_path
        settled = not self._meaning.uncommitted
        # The set that the key names, whatever is loaded meanwhile.
        policy = self._verdicts.policy.fixed()

        def judge() -> Judged:
            judged = self._verdicts.judge_apart(
                subject, text, catalog, path, settled=settled, policy=policy
            )
            if judged.decision.verdict is not Verdict.DENY:
                self._sight.foresee(judged.analysis)
            moves = moved(text) if judged.analysis.moves_names else STILL
            return replace(judged, flow=self._sight.flow(judged), moves=moves)

        return judge

    def _approved(self, analysis: Analysis) -> Decision:
        subject = self._scope.subject
        return self._verdicts.policy.statement(
            subject.principal,
            subject.database,
            subject.access_role,
            analysis,
            approved=True,
            reasoned=subject.reasoned,
        )

    def _digest(self, analysis: Analysis) -> str:
        """What an approval must be bound to; empty when names may mean something else by now.

        And where the text is not all that would run, or it would run more than once.
        """
        if not self._meaning.path_known or self._scope.search_path != SEARCH_PATH:
            return ""
        if unapprovable(analysis):
            return ""
        subject = self._scope.subject
        return statement_digest(
            analysis.canonical, subject.database.name, subject.access_role, DEFAULT_SEARCH_PATH
        )

    def _follow_policy(self) -> None:
        """Other policies are in force: entries name their version, and masks are theirs."""
        self._policy = self._verdicts.policy.version
        self._entry = fragment({**self._scope.entry, "policy": self._policy})
        self._tracks.entry = self._entry
        nothing = self._judged("").decision
        self._results.unmasked = nothing.allowed and not nothing.obligations.mask

    def _still(self, leave: Leave) -> Said:
        """What entries say of it by the policies in force.

        Raises Denied unless they let the same run, on the same terms.
        """
        judged = self._judged(leave.text)
        decision = judged.decision
        if not (decision.allowed or leave.digest):
            raise Denied(decision.message, hint=decision.hint, rule=", ".join(decision.policies))
        if leave.digest or decision.obligations != leave.decision.obligations:
            raise Denied(
                "the policies have changed since this was prepared",
                hint="prepare the statement again",
                code="policy.changed",
            )
        return judged.said

    def _take(self, leave: Leave, parameters: Parameters | None) -> str:
        """Use up the approval. Raises Denied when it is gone, or was not for parameters."""
        held = self._judged(leave.text).decision
        if parameters is not None and parameters.count:
            raise Denied(
                "an approved statement takes no parameters",
                hint="ask for the statement with its values written out",
                code="approval.parameters",
            )
        request = ""
        if self._digest(leave.analysis) == leave.digest:
            request = self._scope.releases.take(leave.digest, held.approval)
        if not request:
            raise Denied(held.message, hint=held.hint, rule=", ".join(held.policies))
        return request

    def _refuse(
        self,
        text: str,
        analysis: Analysis | None,
        verdict: Verdict,
        refusal: Refusal,
        why: str,
        observed: tuple[str, ...] = (),
    ) -> Refusal:
        self._counts.refused(verdict, analysis.kind if analysis else "unknown")
        fields: dict[str, object] = {
            "scope": self._entry,
            "verdict": str(verdict),
            "text": text,
            **statement.described(analysis),
            "policies": [rule for rule in refusal.rule.split(", ") if rule],
            "sqlstate": refusal.sqlstate,
            "message": refusal.message,
        }
        if observed:
            fields["observed"] = list(observed)
        if why:
            fields["approval" if verdict is Verdict.HOLD else "code"] = why
        try:
            self._recorder.append("statement_refused", fields)
        except DbgateError as exc:
            return _refusal(exc)
        return refusal


def _refusal(exc: DbgateError) -> Refusal:
    position = exc.position if isinstance(exc, NotParsed) else 0
    return Refusal(exc.sqlstate, exc.message, hint=exc.hint, rule=exc.rule, position=position)
