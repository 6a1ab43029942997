"""Verdicts, remembered: what one text means to one subject on one picture of the database."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from dbgate_core.audit.statement import Said, judged
from dbgate_core.catalog import Catalog
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision
from dbgate_core.masking.flows import SINKS, hidden_flow
from dbgate_core.masking.foreseen import LONG_CHARS
from dbgate_core.masking.functions import COUNTING
from dbgate_core.pgwire.guard import Moved
from dbgate_core.pgwire.rows import Field
from dbgate_core.principal import Principal
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action
from dbgate_core.sql.shape import has_shape, shape_of

MAX_ENTRIES: Final = 2_048
"""Of each cache of a broker."""
MAX_REMEMBERED_CHARS: Final = 4_096
"""Longer texts are judged anew each time, so the caches have a bound in bytes: about 32 MB each."""
MAX_LEAVE_CHARS: Final = 16_384
"""Of longer texts no leave is remembered, for effects may hold as much as the text: again 32 MB."""
_HARMLESS: Final = frozenset({Action.SELECT, Action.TRANSACTION})

_CUTTING: Final = ("limit", "offset", "fetch", "tablesample")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class StatementPolicy(Protocol):
    """What judging asks of policy; `dbgate_core.policy.Policies` answers it."""

    @property
    def version(self) -> str:
        """Tells sets of policies apart."""

    def fixed(self) -> StatementPolicy:
        """The set that is in force now, whatever is loaded later."""

    def statement(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        analysis: Analysis,
        *,
        approved: bool = False,
        reasoned: bool = False,
    ) -> Decision:
        """Whether the statement may run, in a session for which a reason was given or not; HOLD, with the quorum, when only an approval is missing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who acts, where, by which access role, and whether with a reason: what a verdict depends on beside the text."""

    principal: Principal
    database: DatabaseFacts
    access_role: str
    reasoned: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: a subject is looked up with every statement."""
        parts = (self.principal, self.database, self.access_role, self.reasoned)
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        return self._hash


@dataclass(slots=True)
class Shown:
    """A description that was found to need no mask, on one picture of the database."""

    fields: Sequence[Field] = ()
    catalog: Catalog | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A text's analysis and verdict; `flow` says how it would move protected values out of sight.

    Texts of one shape share it: `analysis.text` may be another's. `said` is what their entries share.
    `moves` are the names that it moves, where that was looked for already.
    """

    analysis: Analysis
    decision: Decision
    flow: str
    said: Said
    shown: Shown = field(default_factory=Shown, compare=False)
    moves: Moved | None = None


@dataclass(slots=True)
class _Shape:
    """What the first text of a shape was judged, and whether that holds for all others of it.

    `holds` is looked for when a second one comes: most shapes have one text, and the look costs as
    much as the judgement.
    """

    judged: Judged
    holds: bool | None = None

    def for_others(self) -> Judged | None:
        """The judgement, if it is that of every text of the shape."""
        if self.holds is None:
            self.holds = has_shape(self.judged.analysis.text)
        return self.judged if self.holds else None


class Lru(Generic[K, V]):
    """A bounded dictionary that forgets what was not used for the longest time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, or None."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def put(self, key: K, value: V) -> None:
        """Remember, and forget the oldest beyond the bound."""
        self._entries[key] = value
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)


class Verdicts:
    """Judges texts for all connections of a broker. Not thread-safe, but for `judge_apart`: for its event loop alone.

    A verdict depends on the analysis alone, so other literals in the same statement cost the
    parse and no policy; in a statement that has a shape (sql/shape.py), not even that. Only leave is
    remembered so: a refusal's words may quote the statement.
    """

    def __init__(self, policy: StatementPolicy) -> None:
        self.policy = policy
        self._version = policy.version
        self._texts: Lru[tuple[str, Subject, str, tuple[str, ...]], Judged] = Lru(MAX_ENTRIES)
        self._shapes: Lru[tuple[str, Subject, str, tuple[str, ...]], _Shape] = Lru(MAX_ENTRIES)
        self._shaped: Lru[tuple[str, Subject, str, tuple[str, ...]], Judged] = Lru(MAX_ENTRIES)
        self._leaves: Lru[Hashable, Decision] = Lru(MAX_ENTRIES)

    def judge(
        self,
        subject: Subject,
        text: str,
        catalog: Catalog,
        search_path: tuple[str, ...],
        *,
        settled: bool = True,
    ) -> Judged:
        """The text's analysis and verdict. Raises what `analyse` raises for what is not parsed.

        Not `settled`: the connection's own DDL is uncommitted, and nothing of it is remembered.
        """
        if self.policy.version != self._version:
            self._forget()
        if not settled:
            return self._judged(subject, text, catalog, search_path, settled=False)
        key = (text, subject, catalog.version, search_path)
        if (found := self._texts.get(key) or self._shaped.get(key)) is not None:
            return found
        shape = shape_of(text)
        shape_key = (shape, subject, catalog.version, search_path)
        met = self._shapes.get(shape_key) if shape else None
        if met is not None and (found := met.for_others()) is not None:
            self._shaped.put(key, found)  # apart: they are many, and would push the others out
            return found
        found = self._judged(subject, text, catalog, search_path)
        if met is None and shape not in ("", text) and found.decision.allowed:
            self._shapes.put(shape_key, _Shape(found))
        if len(text) <= MAX_REMEMBERED_CHARS:
            self._texts.put(key, found)
        return found

    def at_once(
        self, subject: Subject, text: str, catalog: Catalog, search_path: tuple[str, ...]
    ) -> bool:
        """Whether a text is short, or its verdict remembered: others need not wait for it."""
        if len(text) <= LONG_CHARS:
            return True
        key = (text, subject, catalog.version, search_path)
        return self.policy.version == self._version and self._texts.get(key) is not None

    def judge_apart(
        self,
        subject: Subject,
        text: str,
        catalog: Catalog,
        search_path: tuple[str, ...],
        *,
        settled: bool,
        policy: StatementPolicy,
    ) -> Judged:
        """As `judge`, by one set, on any thread: nothing is looked up, nothing remembered."""
        analysis = analyse(text, catalog, search_path, settled=settled)
        return self._with(analysis, _asked(policy, subject, analysis), catalog, search_path)

    def remember(
        self,
        subject: Subject,
        judged: Judged,
        catalog: Catalog,
        search_path: tuple[str, ...],
    ) -> None:
        """Keep what `judge_apart` gave of a settled text, if it is short enough."""
        text = judged.analysis.text
        if len(text) <= MAX_REMEMBERED_CHARS and self.policy.version == self._version:
            self._texts.put((text, subject, catalog.version, search_path), judged)

    def _judged(
        self,
        subject: Subject,
        text: str,
        catalog: Catalog,
        search_path: tuple[str, ...],
        *,
        settled: bool = True,
    ) -> Judged:
        analysis = analyse(text, catalog, search_path, settled=settled)
        return self._with(analysis, self._decide(subject, analysis), catalog, search_path)

    @staticmethod
    def _with(
        analysis: Analysis, decision: Decision, catalog: Catalog, search_path: tuple[str, ...]
    ) -> Judged:
        moved = flow(analysis, catalog, search_path)
        return Judged(analysis, decision, moved, judged(analysis, decision))

    def _forget(self) -> None:
        """Other policies are in force: no verdict of the former ones counts."""
        self._version = self.policy.version
        for cache in (self._texts, self._shapes, self._shaped, self._leaves):
            cache.clear()

    def _decide(self, subject: Subject, analysis: Analysis) -> Decision:
        key = (
            subject,
            analysis.effects,
            analysis.statements,
            analysis.incomplete,
            analysis.reads,
            analysis.writes,
            analysis.functions,
            analysis.searches,
        )
        if (leave := self._leaves.get(key)) is not None:
            return leave
        decision = _asked(self.policy, subject, analysis)
        if decision.allowed and len(analysis.text) <= MAX_LEAVE_CHARS:
            self._leaves.put(key, decision)
        return decision


def _asked(policy: StatementPolicy, subject: Subject, analysis: Analysis) -> Decision:
    return policy.statement(
        subject.principal,
        subject.database,
        subject.access_role,
        analysis,
        reasoned=subject.reasoned,
    )


def flow(analysis: Analysis, catalog: Catalog, search_path: tuple[str, ...]) -> str:
    """`hidden_flow`, where there can be one: what writes, or calls what can carry values away."""
    called = {name.rpartition(".")[2] for name in analysis.functions}
    moves = analysis.writes or not SINKS.isdisjoint(called)
    if not (moves or _counts(analysis, called)) and all(
        effect.action in _HARMLESS for effect in analysis.effects
    ):
        return ""
    return hidden_flow(analysis.text, catalog, search_path)


def _counts(analysis: Analysis, called: set[str]) -> bool:
    """May a value decide how many rows there are: a cheap look, for keywords are ASCII letters."""
    if not analysis.reads:
        return False
    lowered = analysis.text.lower()
    return bool(called & COUNTING) or any(word in lowered for word in _CUTTING)
