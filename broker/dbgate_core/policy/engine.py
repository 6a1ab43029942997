"""Policies: questions to decisions.

How a question is answered:

1. Everybody in the principal's chain is asked about (`actors`), and for a statement every effect.
2. A policy that fails to evaluate refuses. (Cedar would skip it, even a forbid.)
3. A statement presupposes its session: who could not even be let in by approval runs nothing.
4. A refusal by nothing but forbids with `@approval` is a hold, if without these it would be allowed.
   With the approval (`approved`), exactly these forbids do not count.
5. A forbid that observes (`@mode("observe")`) takes no part in this; that it matched is noted.
6. One refusal refuses the whole; else one hold holds it, for a quorum that satisfies every hold.

One rule is not in the files: a statement that changes how the server reads text is refused
(`lexing-settings`), whatever is permitted, because later statements would be judged as another text
than the one that runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, Self

from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, Obligations, Verdict
from dbgate_core.errors import UsageError
from dbgate_core.policy import questions
from dbgate_core.policy.actors import Actor, actors, entities
from dbgate_core.policy.answers import (
    Ruling,
    Topic,
    combine,
    fewest_rows,
    least_limits,
    lexing_denied,
    nobody,
    reads_free_text,
    strictest_styles,
    too_much,
)
from dbgate_core.policy.cedar import Answer, Entities, Json, Question, looks_at
from dbgate_core.policy.conditions import compared
from dbgate_core.policy.conditions import entities as entities_named
from dbgate_core.policy.firing import Dead
from dbgate_core.policy.loading import Loaded, dead_rules, load
from dbgate_core.policy.rules import Rule
from dbgate_core.principal import Principal
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Effect
from dbgate_core.sql.searches import How

MAX_EFFECTS: Final = 2_000
"""Of one statement; at about 0.2 ms each this is what one statement may hold up the others."""
CACHED_ENTITIES: Final = 512
"""Pairs of actor and database whose entities are kept parsed."""
CACHED_ANSWERS: Final = 4_096
"""Effects of actors whose answers are kept, where no rule looks at the statement around them."""
MAX_KEPT_CHARS: Final = 16_384
"""Of a longer text no answer is kept, for its effects may hold as much: 64 MB for all."""


class Policies:
    """A validated set of policies. Immutable; `version` changes with any text of it."""

    def __init__(self, loaded: Loaded, version: str) -> None:
        self.version = version
        self._loaded = loaded
        self._rules = loaded.rules
        self._full = loaded.full
        self._lifted = loaded.lifted
        self._watched = loaded.watched
        self._schema = loaded.schema
        self._reads_statement = loaded.reads_statement
        self._entities_of = lru_cache(CACHED_ENTITIES)(self._parse_entities)
        self._enters = lru_cache(CACHED_ENTITIES)(self._may_enter)
        self._known_answer = lru_cache(CACHED_ANSWERS)(self._on_effect)

    @classmethod
    def load(cls, files: Mapping[str, str], schema: str) -> Self:
        """Policies of texts by file name. Raises UsageError that lists everything wrong with them."""
        return cls(load(files, schema), _version(files, schema))

    def fixed(self) -> Self:
        """Itself: a set never changes."""
        return self

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in their order."""
        return tuple(self._rules.values())

    @property
    def written(self) -> Mapping[str, Json]:
        """The rules by id, with their annotations, in Cedar's JSON form."""
        return self._loaded.policies

    def looks_at(self, attribute: str) -> bool:
        """Whether any rule reads an attribute of that name."""
        return any(looks_at(policy, attribute) for policy in self._loaded.policies.values())

    @property
    def dead(self) -> list[Dead]:
        """The rules that can never decide anything."""
        return dead_rules(self._loaded)

    @property
    def groups(self) -> frozenset[str]:
        """The groups that rules name."""
        policies = self._loaded.policies.values()
        return frozenset[str]().union(*(entities_named(each, "Group") for each in policies))

    @property
    def access_roles(self) -> frozenset[str]:
        """The access roles that rules name."""
        policies = self._loaded.policies.values()
        return frozenset[str]().union(*(compared(each, "access_role") for each in policies))

    def connect(
        self,
        principal: Principal,
        database: DatabaseFacts,
        access_role: str,
        *,
        approved: bool = False,
    ) -> Decision:
        """Whether a session may be opened; HOLD, with the quorum, when only an approval is missing."""
        topic = Topic(principal, database, "connect", access_role)
        return self._whole(
            topic, lambda actor: questions.of_connect(actor, database, access_role), approved
        )

    def may(self, principal: Principal, action: str, database: DatabaseFacts | None) -> Decision:
        """Whether a principal may `request`, `approve`, `session_kill` or `audit_read`.

        `database` None asks about the broker itself. Raises UsageError for any other action.
        """
        if action not in questions.DUTIES:
            raise UsageError(f"policy knows no duty {action!r}")
        topic = Topic(principal, database, action)
        return self._whole(topic, lambda actor: questions.of_duty(actor, action, database))

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
        """Whether a statement may run in a session of that access role, and what it then owes.

        `reasoned`: somebody said what the session is for.

        Depends on the analysis's effects, statements, incomplete, reads, writes, functions and searches; the
        words of a refusal quote its text.
        """
        topic = Topic(principal, database, "statement", access_role, analysis)
        effects = questions.effects_of(analysis)
        if lexing := [effect for effect in effects if questions.changes_lexing(effect)]:
            return lexing_denied(topic, lexing[0])
        if len(effects) > MAX_EFFECTS:
            return too_much(topic, MAX_EFFECTS)
        session = self._enters(principal, database, access_role)
        if not session.allowed:
            return session
        rulings: list[Ruling] = []
        observed: set[str] = set()
        masks = False
        searches = frozenset(search.how for search in analysis.searches)
        kept = not self._reads_statement and len(analysis.text) <= MAX_KEPT_CHARS
        on_effect = self._known_answer if kept else self._on_effect
        for actor in actors(principal):
            known = self._entities_with(actor, database, analysis)
            for effect in effects:
                ruling, noted = on_effect(
                    actor, database, access_role, effect, searches, approved, known
                )
                rulings.append(ruling)
                observed |= noted
            masks = masks or not self._unmasks(actor, database, access_role, known, reasoned)
        decision = replace(combine(topic, rulings), observed=tuple(sorted(observed)))
        if not decision.allowed:
            return decision
        owed = Obligations(
            masks, fewest_rows(rulings), strictest_styles(rulings), reads_free_text(rulings)
        )
        return replace(decision, obligations=owed)

    def _whole(
        self, topic: Topic, question: Callable[[Actor], Question], approved: bool = False
    ) -> Decision:
        """The decision on one question, asked about everybody in the chain."""
        chain = actors(topic.principal)
        if not chain:
            return nobody(topic)
        rulings: list[Ruling] = []
        observed: set[str] = set()
        for actor in chain:
            known = self._entities_of(actor, topic.database)
            rulings.append(self._rule(question(actor), known, approved))
            observed |= self._observe(question(actor), known)
        decision = replace(combine(topic, rulings), observed=tuple(sorted(observed)))
        return replace(decision, limits=least_limits(rulings)) if decision.allowed else decision

    def _parse_entities(self, actor: Actor, database: DatabaseFacts | None) -> Entities:
        return Entities.of(entities(actor, database), self._schema)

    def _may_enter(
        self, principal: Principal, database: DatabaseFacts, access_role: str
    ) -> Decision:
        """The decision on the session, as if it were approved: whether there can be one at all."""
        return self.connect(principal, database, access_role, approved=True)

    def _entities_with(self, actor: Actor, database: DatabaseFacts, analysis: Analysis) -> Entities:
        """With the statement, if any rule looks at it: a set without one costs no copy."""
        known = self._entities_of(actor, database)
        if not self._reads_statement:
            return known
        return known.plus(questions.statement_entity(analysis))

    def _on_effect(
        self,
        actor: Actor,
        database: DatabaseFacts,
        access_role: str,
        effect: Effect,
        searches: frozenset[How],
        approved: bool,
        known: Entities,
    ) -> tuple[Ruling, frozenset[str]]:
        """The ruling on one effect, and what observes it."""
        asked = questions.of_effect(actor, database, access_role, effect, searches)
        return self._rule(asked, known, approved, effect), self._observe(asked, known)

    def _unmasks(
        self,
        actor: Actor,
        database: DatabaseFacts,
        access_role: str,
        known: Entities,
        reasoned: bool,
    ) -> bool:
        """Whether values pass in clear. An approval of a statement is none to see them."""
        if not self._full.can_permit(questions.UNMASK):
            return False
        question = questions.of_unmask(actor, database, access_role, reasoned)
        return self._rule(question, known, False).verdict is Verdict.ALLOW

    def _rule(
        self, asked: Question, known: Entities, approved: bool, effect: Effect | None = None
    ) -> Ruling:
        """Rule on the question; `effect` is what it is about."""
        policies = self._lifted if approved else self._full
        return self._ruling(asked, policies.decide(asked, known), known, effect)

    def _observe(self, asked: Question, known: Entities) -> frozenset[str]:
        """The forbids that only observe and would stop it; one that fails would, too."""
        answer = self._watched.decide(asked, known)
        return frozenset(answer.policies) | {rule.id for rule in self._named_in(answer.errors)}

    def _ruling(
        self, question: Question, answer: Answer, known: Entities, effect: Effect | None
    ) -> Ruling:
        if answer.errors:
            return Ruling(Verdict.DENY, self._named_in(answer.errors), effect, broken=True)
        rules = tuple(sorted((self._rules[i] for i in answer.policies), key=lambda r: r.order))
        if answer.allowed:
            return Ruling(Verdict.ALLOW, rules, effect)
        final = tuple(rule for rule in rules if rule.approval is None)
        if final or not rules:
            return Ruling(Verdict.DENY, final, effect)
        without = self._lifted.decide(question, known)
        if without.errors:
            return Ruling(Verdict.DENY, self._named_in(without.errors), effect, broken=True)
        if without.allowed:
            return Ruling(Verdict.HOLD, rules, effect)
        return Ruling(Verdict.DENY, (), effect)

    def _named_in(self, errors: Sequence[str]) -> tuple[Rule, ...]:
        """The rules that Cedar's errors name."""
        return tuple(
            rule for rule in self._rules.values() if any(f"`{rule.id}`" in e for e in errors)
        )


def _version(files: Mapping[str, str], schema: str) -> str:
    """The first 16 hex digits of a SHA-256 over every name and text, each preceded by its length."""
    digest = hashlib.sha256()
    for part in (schema, *(part for name in sorted(files) for part in (name, files[name]))):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:16]
