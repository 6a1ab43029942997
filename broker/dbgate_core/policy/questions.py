"""What is asked of policy, and in which context: the side of the schema that dbgate fills in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbgate_core.database import DatabaseFacts
from dbgate_core.policy.actors import BROKER, Actor, database_uid
from dbgate_core.policy.cedar import Json, Question
from dbgate_core.principal import PrincipalKind
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.searches import How

CONNECT: Final = "connect"
UNMASK: Final = "unmask"
DUTIES: Final = ("request", "approve", "session_kill", "audit_read")
STATEMENT_UID: Final = ("Statement", "statement")

HARMLESS_ALTERS: Final = frozenset(
    {
        "add column", "alter column default", "drop not null", "add constraint",
        "validate constraint", "set statistics", "attach partition", "add value",
    }
)  # fmt: skip
"""What ALTER may do that neither loses data nor takes away what others rely on. All else may."""
TEMPORARY: Final = "temporary"
"""How the detail of an effect begins whose object ends with the connection."""

_STATEMENT_REF: Final = {"__entity": {"type": STATEMENT_UID[0], "id": STATEMENT_UID[1]}}


def of_effect(
    actor: Actor,
    database: DatabaseFacts,
    access_role: str,
    effect: Effect,
    searches: frozenset[How] = frozenset(),
) -> Question:
    """May the actor do this effect, in a statement that picks rows by protected columns in these ways?"""
    context = {
        "access_role": access_role,
        "object": effect.object,
        "kind": effect.kind,
        "detail": effect.detail,
        "predicate": str(effect.predicate),
        "danger": str(effect.danger),
        "columns": sorted(effect.columns),
        "destructive": destructive(effect),
        "temporary": temporary(effect),
        "searches": sorted(map(str, searches)),
        "statement": _STATEMENT_REF,
    }
    return Question(actor.uid, str(effect.action), database_uid(database), context)


def of_connect(actor: Actor, database: DatabaseFacts, access_role: str) -> Question:
    """May the actor open a session in this access role?"""
    return Question(actor.uid, CONNECT, database_uid(database), {"access_role": access_role})


def of_unmask(
    actor: Actor, database: DatabaseFacts, access_role: str, reasoned: bool = False
) -> Question:
    """May the actor see what the statement reads in clear, in a session with or without a reason?"""
    context = {"access_role": access_role, "has_reason": reasoned, "statement": _STATEMENT_REF}
    return Question(actor.uid, UNMASK, database_uid(database), context)


def of_duty(actor: Actor, duty: str, database: DatabaseFacts | None) -> Question:
    """May the actor request, approve, kill sessions, read the log?"""
    return Question(actor.uid, duty, database_uid(database), {})


def statement_entity(analysis: Analysis) -> Json:
    """The statement that the effects of a question belong to."""
    return {
        "uid": {"type": STATEMENT_UID[0], "id": STATEMENT_UID[1]},
        "attrs": {
            "reads": sorted(str(relation) for relation in analysis.reads),
            "writes": sorted(str(relation) for relation in analysis.writes),
            "functions": sorted(analysis.functions),
            "count": analysis.statements,
        },
        "parents": [],
    }


def effects_of(analysis: Analysis) -> tuple[Effect, ...]:
    """The distinct effects to be judged; what was not understood is among them in any case."""
    found = dict.fromkeys(analysis.effects)
    understood = not analysis.incomplete and (found or not analysis.statements)
    if not understood and not any(effect.action is Action.UNKNOWN for effect in found):
        found[Effect(Action.UNKNOWN)] = None
    return tuple(found)


def temporary(effect: Effect) -> bool:
    """Whether it is about an object that ends with the connection, by the statement's own word."""
    return (
        effect.action in (Action.CREATE, Action.DROP)
        and effect.detail.split(" ")[0] == TEMPORARY
        and not effect.destructive
    )


def destructive(effect: Effect) -> bool:
    """Whether it may lose data or what others rely on: all DDL but what is known not to."""
    match effect.action:
        case Action.ALTER:
            known = effect.kind == "comment" or effect.detail in HARMLESS_ALTERS
            return effect.destructive or not known
        case Action.DROP:
            return not temporary(effect)
        case Action.TRUNCATE:
            return True
        case _:
            return effect.destructive


def changes_lexing(effect: Effect) -> bool:
    """Whether the server would read later statements differently than dbgate does."""
    return effect.danger is Danger.SETTING and effect.detail == "lexing"


def samples() -> Iterator[Question]:
    """A well-formed question for each action that exists."""
    actor = Actor(PrincipalKind.USER, "sample")
    database = DatabaseFacts("sample", "sample")
    for action in Action:
        yield of_effect(actor, database, "", Effect(action))
    yield of_connect(actor, database, "")
    yield of_unmask(actor, database, "")
    for duty in DUTIES:
        yield Question(actor.uid, duty, BROKER, {})
