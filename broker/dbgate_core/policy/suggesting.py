"""The least rules that would have let somebody do what they did, and nothing else.

One permit for each way of acting (database, access role, action, kind of object, detail, predicate,
danger), with the objects that were seen, and bounded by what the statements read: a name that is
looked up elsewhere is then another object. Everybody in an agent's chain gets the same permits, since
all of them are asked. What ran by a second person's approval is left out: a standing permit would do
away with the approval. Values stay masked, for nothing here permits `unmask`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from dbgate_core.decision import Verdict
from dbgate_core.policy.actors import Actor, actors
from dbgate_core.policy.questions import effects_of
from dbgate_core.policy.records import Recorded
from dbgate_core.sql.effects import Effect

OBJECTS_A_RULE: Final = 100
"""More go into another rule: nobody reads longer lists."""
_ID_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """How something was done: what one rule permits."""

    database: str
    access_role: str
    action: str
    kind: str = ""
    detail: str = ""
    predicate: str = ""
    danger: str = ""


@dataclass(slots=True)
class Used:
    """How often, when, on what, and in statements that read what."""

    count: int = 0
    first: str = ""
    last: str = ""
    objects: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)

    def add(self, at: str, objects: Iterable[str], reads: Iterable[str]) -> None:
        """Once more."""
        self.count += 1
        self.first, self.last = min(self.first or at, at), max(self.last, at)
        self.objects.update(objects)
        self.reads.update(reads)


@dataclass(slots=True)
class Usage:
    """What was done, by whom and which way. `approved` counts what somebody else gave leave for."""

    ways: dict[tuple[Actor, Way], Used] = field(default_factory=dict)
    allowed: list[Recorded] = field(default_factory=list)
    approved: int = 0


def usage(statements: Iterable[Recorded]) -> Usage:
    """What was allowed of these."""
    found = Usage()
    for each in statements:
        if each.verdict is not Verdict.ALLOW:
            continue
        if each.approved:
            found.approved += 1
            continue
        found.allowed.append(each)
        _add(found, each)
    return found


def suggestion(found: Usage) -> str:
    """The rules, as the text of a .cedar file; empty when nothing was used."""
    numbers = count(1)
    rules = [
        _rule(actor, way, used, objects, next(numbers))
        for (actor, way), used in sorted(found.ways.items(), key=lambda each: each[0][1])
        for objects in _parts(sorted(used.objects))
    ]
    return "\n".join(rules)


def _add(found: Usage, each: Recorded) -> None:
    where = each.subject.database.name, each.subject.access_role
    reads = [str(relation) for relation in each.analysis.reads]
    objects: dict[Way, set[str]] = {Way(*where, "connect"): set()}
    for effect in effects_of(each.analysis):
        objects.setdefault(_way(*where, effect), set()).add(effect.object)
    for actor in actors(each.subject.principal):
        for way, names in objects.items():
            used = found.ways.setdefault((actor, way), Used())
            used.add(each.at, names, reads if names else ())


def _way(database: str, access_role: str, effect: Effect) -> Way:
    return Way(
        database,
        access_role,
        effect.action.value,
        effect.kind,
        effect.detail,
        effect.predicate.value,
        effect.danger.value,
    )


def _parts(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, max(len(names), 1), OBJECTS_A_RULE):
        yield names[start : start + OBJECTS_A_RULE]


def _rule(actor: Actor, way: Way, used: Used, objects: list[str], number: int) -> str:
    kind, name = actor.uid
    when = "\n  && ".join(_conditions(actor, way, used, objects))
    return (
        f"// {used.count} times, {used.first[:16]} to {used.last[:16]}\n"
        f'@id("{_id(name, way, number)}")\n'
        f"permit (principal == {kind}::{quoted(name)}, "
        f'action == Action::"{way.action}", resource == Database::{quoted(way.database)})\n'
        f"when\n{{\n  {when}\n}};\n"
    )


def _conditions(actor: Actor, way: Way, used: Used, objects: list[str]) -> Iterator[str]:
    yield f"principal.issuer == {quoted(actor.issuer)}"
    yield f"context.access_role == {quoted(way.access_role)}"
    if not objects:
        return
    yield f"{_set(objects)}.contains(context.object)"
    for name in ("kind", "detail", "predicate", "danger"):
        yield f"context.{name} == {quoted(getattr(way, name))}"
    if used.reads:
        yield f"{_set(sorted(used.reads))}.containsAll(context.statement.reads)"


def _id(name: str, way: Way, number: int) -> str:
    plain = "".join(c if c in _ID_CHARS else "-" for c in name.lower()[:40])
    return f"{plain}-{way.action}-{number}"


def _set(names: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, names))}]"


def quoted(text: str) -> str:
    """A string as Cedar reads it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"
