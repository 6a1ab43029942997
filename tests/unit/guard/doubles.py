"""Doubles at the guard's seams: a policy by action, a log in memory, approvals in a set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dbgate_core.audit import canonical
from dbgate_core.budget import Budget
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, Obligations, Verdict
from dbgate_core.errors import AuditUnavailable
from dbgate_core.guard import ConnectionGuard
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.key import MaskKey
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.scope import Epoch, Picture, Scope
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action
from dbgate_core.verdicts import Subject, Verdicts

ALICE = Principal(PrincipalKind.USER, "alice", "https://issuer", "1", frozenset({"developers"}))
PROD = DatabaseFacts("prod-db", "production")
TEXT, INT8 = 25, 20
CUSTOMERS_OID = 20_000
CUSTOMERS = CatalogRelation(
    CUSTOMERS_OID,
    "public",
    "customers",
    RelationKind.TABLE,
    (Column(1, "id", INT8), Column(2, "email", TEXT, frozenset({DataClass.EMAIL}))),
)
PLAIN = CatalogRelation(20_001, "public", "plain", RelationKind.TABLE, (Column(1, "id", INT8),))
SHOP = Catalog([CUSTOMERS, PLAIN], "1")


@dataclass
class TablePolicy:
    """Denies and holds by action; everything else is allowed. Counts what it is asked."""

    denied: frozenset[Action] = frozenset({Action.DO, Action.UNKNOWN})
    held: frozenset[Action] = frozenset({Action.DROP})
    obligations: Obligations = field(default_factory=Obligations)
    observed: tuple[str, ...] = ()
    version: str = "v1"
    role: str = ""
    approval: str = "dba:1"
    asked: int = 0

    def fixed(self) -> TablePolicy:
        return replace(self)

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
        return replace(self._decided(analysis, approved), observed=self.observed)

    def _decided(self, analysis: Analysis, approved: bool) -> Decision:
        self.asked += 1
        actions = {effect.action for effect in analysis.effects}
        if actions & self.denied:
            return Decision(Verdict.DENY, ("no-code",), "code is denied", "do not")
        if actions & self.held and not approved:
            return Decision(
                Verdict.HOLD, ("no-drop",), "dropping is held", "ask", self.approval, self.role
            )
        return Decision(Verdict.ALLOW, ("all",), obligations=self.obligations)


@dataclass
class MemoryLog:
    """A Recorder in memory, which gives back what is read of it; `full` is a disk without space.

    `written` are the fields as the guard gave them.
    """

    entries: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    written: list[Mapping[str, object]] = field(default_factory=list)
    full: bool = False

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        if self.full:
            raise AuditUnavailable("the audit log cannot be written")
        self.written.append(fields)
        self.entries.append((kind, canonical.entry(canonical.encode({**fields}))))
        return len(self.entries) - 1

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.entries]


@dataclass
class Approvals:
    """Releases by digest, each good once."""

    held: dict[str, str] = field(default_factory=dict)

    def holds(self, digest: str, approval: str) -> bool:
        return digest in self.held

    def take(self, digest: str, approval: str) -> str:
        return self.held.pop(digest, "")


@dataclass
class Desk:
    """A guard and everything around it."""

    policy: TablePolicy = field(default_factory=TablePolicy)
    log: MemoryLog = field(default_factory=MemoryLog)
    approvals: Approvals = field(default_factory=Approvals)
    catalog: Catalog = SHOP
    now_ns: int = 0
    search_path: tuple[str, ...] = ("public",)
    epoch: Epoch = field(default_factory=Epoch)
    waits: bool = False
    budget: Budget = field(default_factory=Budget)
    shows_masks: bool = False

    def guard(self) -> ConnectionGuard:
        scope = Scope(
            Subject(ALICE, PROD, "readonly"),
            {"session": "s1", "who": {"name": "alice"}},
            MaskKey(b"k" * 32),
            self.approvals,
            waits=self.waits,
            epoch=self.epoch,
            search_path=self.search_path,
            budget=self.budget,
            shows_masks=self.shows_masks,
        )
        return ConnectionGuard(
            scope, Picture(self.catalog), Verdicts(self.policy), self.log, lambda: self.now_ns
        )
