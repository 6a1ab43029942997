"""Why a statement is decided as it is, and what would have to be otherwise.

What is missing is found by asking again: in each access role that a rule names, with each group that a
rule names, with a WHERE that chooses. So it is what policy itself would answer, not a reading of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dbgate_core.catalog import Catalog
from dbgate_core.decision import Decision, Verdict
from dbgate_core.policy.engine import Policies
from dbgate_core.policy.questions import effects_of
from dbgate_core.policy.trial import Trial, attempt
from dbgate_core.policy.words import ask_for_role, clean, open_in_role
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Effect, Predicate
from dbgate_core.verdicts import Subject


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that, were it so, would change the verdict; `command` is what to type for it."""

    what: str
    verdict: Verdict
    command: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`session` is the decision on the session itself; `effects` has that on each effect alone."""

    trial: Trial
    session: Decision
    effects: tuple[tuple[Effect, Decision], ...] = ()
    ways: tuple[Way, ...] = ()


def explain(
    policies: Policies,
    subject: Subject,
    text: str,
    catalog: Catalog,
    access_roles: Iterable[str] = (),
) -> Explanation:
    """Explain a statement. `access_roles` are the database's, beside those that rules name."""
    trial = attempt(policies, subject, text, catalog)
    session = policies.connect(subject.principal, subject.database, subject.access_role)
    if trial.analysis is None:
        return Explanation(trial, session)
    effects = tuple(
        (effect, _alone(policies, subject, trial.analysis, effect))
        for effect in effects_of(trial.analysis)
    )
    tried = _Trying(policies, subject, text, catalog, trial.decision.verdict)
    if trial.decision.allowed:
        return Explanation(trial, session, effects, tuple(tried.reason(trial)))
    roles = sorted({*access_roles, *policies.access_roles} - {subject.access_role})
    ways = (*tried.where(trial.analysis), *tried.roles(roles), *tried.groups())
    return Explanation(trial, session, effects, ways)


def _alone(policies: Policies, subject: Subject, analysis: Analysis, effect: Effect) -> Decision:
    """The decision on one effect, with all that the statement reads and writes around it."""
    unknown = effect.action is Action.UNKNOWN
    alone = replace(analysis, effects=(effect,), incomplete=unknown)
    return policies.statement(
        subject.principal,
        subject.database,
        subject.access_role,
        alone,
        reasoned=subject.reasoned,
    )


@dataclass(frozen=True, slots=True)
class _Trying:
    policies: Policies
    subject: Subject
    text: str
    catalog: Catalog
    was: Verdict

    def reason(self, trial: Trial) -> Iterator[Way]:
        """With a reason for the session, where that shows what is masked without one."""
        who = self.subject
        if not trial.masked or who.reasoned:
            return
        other = attempt(self.policies, replace(who, reasoned=True), self.text, self.catalog)
        if not other.masked:
            command = f"{open_in_role(who.database.name, who.access_role)} --reason '...'"
            yield Way("unmasked, with a reason", other.decision.verdict, command)

    def where(self, analysis: Analysis) -> Iterator[Way]:
        """With a WHERE that chooses, where there was none."""
        chosen = tuple(
            replace(effect, predicate=Predicate.REAL) if effect.predicate else effect
            for effect in analysis.effects
        )
        if chosen != analysis.effects:
            who = self.subject
            decision = self.policies.statement(
                who.principal, who.database, who.access_role, replace(analysis, effects=chosen)
            )
            yield from self._better("with a WHERE that chooses among the rows", decision)

    def roles(self, roles: Iterable[str]) -> Iterator[Way]:
        """In another access role, if it can be had."""
        for role in roles:
            who = self.subject
            session = self.policies.connect(who.principal, who.database, role)
            if session.verdict is Verdict.DENY:
                continue
            other = replace(who, access_role=role)
            decision = attempt(self.policies, other, self.text, self.catalog).decision
            ask = ask_for_role if session.verdict is Verdict.HOLD else open_in_role
            command = ask(who.database.name, role)
            yield from self._better(f"in the access role {clean(role)}", decision, command)

    def groups(self) -> Iterator[Way]:
        """As a member of one more group."""
        who = self.subject
        for group in sorted(self.policies.groups - who.principal.groups):
            member = replace(who.principal, groups=who.principal.groups | {group})
            other = replace(who, principal=member)
            decision = attempt(self.policies, other, self.text, self.catalog).decision
            yield from self._better(f"as a member of {clean(group)}", decision)

    def _better(self, what: str, decision: Decision, command: str = "") -> Iterator[Way]:
        held = decision.verdict is Verdict.HOLD and self.was is Verdict.DENY
        if decision.allowed or held:
            yield Way(what, decision.verdict, command)
