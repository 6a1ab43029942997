"""From what Cedar says of each question to one decision with its words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbgate_core.approval.quorum import MAX_SEATS, Quorum
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Decision, SessionLimits, Verdict
from dbgate_core.masking.styles import MaskStyles, strictest_of
from dbgate_core.policy import words
from dbgate_core.policy.rules import LEXING_RULE, OF_SESSIONS, Rule
from dbgate_core.principal import Principal
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Effect


@dataclass(frozen=True, slots=True)
class Topic:
    """What a decision is about. `about` is `connect`, `statement`, or a duty."""

    principal: Principal
    database: DatabaseFacts | None
    about: str
    access_role: str = ""
    analysis: Analysis | None = None

    @property
    def place(self) -> str:
        """The database's name, or dbgate's."""
        return self.database.name if self.database else "dbgate"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer to one question: the rules that decided it, the first one first.

    `broken` is set when a rule failed to evaluate: nothing is known, so it refuses.
    """

    verdict: Verdict
    rules: tuple[Rule, ...] = ()
    effect: Effect | None = None
    broken: bool = False


def combine(topic: Topic, rulings: Sequence[Ruling]) -> Decision:
    """One decision: one refusal refuses, else one hold holds. Nothing asked is nothing refused.

    The ids are those of all rules that decided; the words are those of the first of them.
    """
    verdicts = {ruling.verdict for ruling in rulings}
    worst = next((v for v in (Verdict.DENY, Verdict.HOLD) if v in verdicts), Verdict.ALLOW)
    deciding = [ruling for ruling in rulings if ruling.verdict is worst]
    ids = _ids(deciding)
    if worst is Verdict.ALLOW:
        return Decision(worst, ids)
    if any(ruling.broken for ruling in deciding):
        return _broken(ids)
    speaking = min(
        ((rule.order, i) for i, ruling in enumerate(deciding) for rule in ruling.rules[:1]),
        default=(0, 0),
    )[1]
    if worst is Verdict.DENY:
        return _denied(topic, ids, deciding[speaking])
    return _held(topic, ids, deciding, deciding[speaking])


def fewest_rows(rulings: Iterable[Ruling]) -> int | None:
    """The smallest `@rows` of the permits that decided; None without any."""
    limits = (rule.rows for ruling in rulings for rule in ruling.rules if not rule.forbids)
    return min((limit for limit in limits if limit is not None), default=None)


def strictest_styles(rulings: Iterable[Ruling]) -> MaskStyles:
    """Of the `@mask`s of the permits that decided the one that leaves least, class by class."""
    return strictest_of(
        rule.styles for ruling in rulings for rule in ruling.rules if not rule.forbids
    )


def reads_free_text(rulings: Iterable[Ruling]) -> bool:
    """Whether a permit that decided has `@free_text`."""
    return any(rule.free_text for ruling in rulings for rule in ruling.rules if not rule.forbids)


def least_limits(rulings: Iterable[Ruling]) -> SessionLimits:
    """Of each limit the smallest that a permit of the session sets."""
    found = [rule.limits for ruling in rulings for rule in ruling.rules if not rule.forbids]
    return SessionLimits(**{name: _least(found, name) for name in OF_SESSIONS.values()})


def _least(found: Iterable[SessionLimits], name: str) -> int | None:
    set_ = (getattr(limits, name) for limits in found)
    return min((limit for limit in set_ if limit is not None), default=None)


def strongest(quorums: Iterable[Quorum]) -> Quorum | None:
    """The smallest quorum that satisfies each of them; None when it has too many seats."""
    seats: Counter[str] = Counter()
    for quorum in quorums:
        seats |= Counter(quorum.seats)
    if seats.total() > MAX_SEATS:
        return None
    return Quorum(tuple(sorted(seats.elements())))


def written(quorum: Quorum) -> str:
    """A quorum as `Quorum.parse` reads it."""
    return ",".join(f"{group}:{count}" for group, count in sorted(Counter(quorum.seats).items()))


def lexing_denied(topic: Topic, effect: Effect) -> Decision:
    """The refusal of what would change how the server reads text."""
    return Decision(
        Verdict.DENY,
        (LEXING_RULE,),
        f"the setting {words.clean(effect.object)} changes how PostgreSQL reads statements",
        f"dbgate reads them as UTF8 with standard strings; leave it as {topic.place} has it",
    )


def nobody(topic: Topic) -> Decision:
    """The refusal of an agent without anybody behind it, or of a chain without an end."""
    name = words.clean(topic.principal.name)
    return Decision(
        Verdict.DENY,
        message=f"nobody stands behind {name}: an agent needs whom it acts for",
        hint="sign the agent in with a token that names on whose behalf it acts",
    )


def too_much(topic: Topic, limit: int) -> Decision:
    """The refusal of a statement that touches too many things to be judged in time."""
    return Decision(
        Verdict.DENY,
        message=f"the statement does more than {limit} things to {topic.place}",
        hint="send it in parts",
    )


def _ids(rulings: Iterable[Ruling]) -> tuple[str, ...]:
    rules = {rule.order: rule.id for ruling in rulings for rule in ruling.rules}
    return tuple(rules[order] for order in sorted(rules))


def _broken(ids: tuple[str, ...]) -> Decision:
    return Decision(
        Verdict.DENY,
        ids,
        "a rule cannot be evaluated, so nothing is permitted",
        "tell whoever keeps the policies" + (f" of the rule {ids[0]}" if ids else ""),
    )


def _denied(topic: Topic, ids: tuple[str, ...], ruling: Ruling) -> Decision:
    if not ruling.rules:
        return Decision(Verdict.DENY, ids, *_default_words(topic, ruling.effect))
    rule = ruling.rules[0]
    message, hint = _words(topic, rule, ruling.effect)
    return Decision(Verdict.DENY, ids, message or f"the rule {rule.id} refuses it", hint)


def _held(
    topic: Topic, ids: tuple[str, ...], deciding: Sequence[Ruling], ruling: Ruling
) -> Decision:
    rules = [rule for each in deciding for rule in each.rules]
    quorum = strongest(rule.approval for rule in rules if rule.approval is not None)
    if quorum is None:
        return Decision(
            Verdict.DENY, ids, f"it would take more than {MAX_SEATS} people to approve this"
        )
    message, hint = _words(topic, ruling.rules[0], ruling.effect)
    message = message or f"the rule {ruling.rules[0].id} lets it wait for an approval"
    role = next((rule.role for rule in rules if rule.role), "")
    command = _command(topic, role or topic.access_role)
    hint = "; ".join(part for part in (hint, command) if part)
    return Decision(Verdict.HOLD, ids, message, hint, approval=written(quorum), role=role)


def _command(topic: Topic, role: str) -> str:
    """What asks for the approval that is missing; empty for duties, which nobody can ask for."""
    if topic.analysis is not None:
        return words.ask_for_statement(topic.place, role, topic.analysis, topic.access_role)
    return words.ask_for_role(topic.place, topic.access_role) if topic.access_role else ""


def _words(topic: Topic, rule: Rule, effect: Effect | None) -> tuple[str, str]:
    values = words.values(topic.principal.name, topic.database, topic.access_role, effect)
    return (
        rule.message.fill(values) if rule.message else "",
        rule.hint.fill(values) if rule.hint else "",
    )


def _default_words(topic: Topic, effect: Effect | None) -> tuple[str, str]:
    """The words when nothing permits it."""
    who = words.clean(topic.principal.name)
    role = words.clean(topic.access_role)
    if topic.about == "connect":
        return (
            f"no rule lets {who} open {topic.place} as {role}",
            "what you may open, and what you may ask for: dbgate databases",
        )
    if effect is None:
        return f"no rule lets {who} do {topic.about} on {topic.place}", ""
    if effect.action is Action.UNKNOWN:
        return (
            "dbgate does not understand all of this statement, and no rule permits that",
            "write it more plainly",
        )
    return (
        f"no rule permits {words.doing(effect)} in the access role {role} of {topic.place}",
        "what your access roles are: dbgate databases",
    )
