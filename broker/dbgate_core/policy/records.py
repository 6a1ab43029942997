"""Statements as the audit log has them, read back so far that other rules can be asked about them.

An entry says what the statement's judge saw (its effects as the catalog of that moment resolved
them, what it reads, writes and calls) and for whom, so nothing is analysed again. What it does not say: a
person's e-mail address, and a database's labels, which whoever replays may know from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Verdict
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate, Relation
from dbgate_core.sql.searches import How, Search
from dbgate_core.verdicts import Subject

BEGUN: Final = "statement"
REFUSED: Final = "statement_refused"
ENDED: Final = "statement_end"

Entry = Mapping[str, Any]
Facts = Mapping[str, DatabaseFacts]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One statement that was sent.

    `verdict` is what was decided then, by the rules of the version `policy`. `approved`: it ran by
    somebody's leave. `rows` and `masked` say what came of it, where its end is known: None is not.
    """

    subject: Subject
    analysis: Analysis
    at: str
    verdict: Verdict
    policy: str
    approved: bool = False
    rows: int | None = None
    masked: bool | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """All that policy looks at: what is equal is decided equally."""
        found = self.analysis
        parts = (found.effects, found.statements, found.reads, found.writes, found.functions)
        return (self.subject, *parts, found.searches)


def recorded(entries: Iterable[Entry], facts: Facts) -> Iterator[Recorded]:
    """The statements among the entries, in the order in which they ended; `facts` by database name.

    What was refused without having been understood is left out: no rule can change that. So is an
    entry that says too little, such as one of an older broker or another program.
    """
    running: dict[int, Recorded] = {}
    for entry in entries:
        kind = entry.get("kind")
        if kind == ENDED:
            if (begun := running.pop(entry.get("begin", -1), None)) is not None:
                rows, masked = entry.get("rows"), bool(entry.get("masked"))
                yield replace(begun, rows=rows, masked=masked)
        elif kind in (BEGUN, REFUSED) and (found := _read(entry, facts)) is not None:
            if kind == REFUSED:
                yield found
            else:
                running[entry["index"]] = found
    yield from running.values()


def _read(entry: Entry, facts: Facts) -> Recorded | None:
    try:
        if not entry["effects"] and entry["text"].strip():
            return None
        scope = entry["scope"]
        return Recorded(
            _subject(scope, facts),
            _analysis(entry),
            entry["time"],
            Verdict(entry["verdict"]),
            scope["policy"],
            "request" in entry,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _subject(scope: Entry, facts: Facts) -> Subject:
    name = scope["database"]
    known = facts.get(name) or DatabaseFacts(name, scope["environment"])
    return Subject(_principal(scope["who"]), known, scope["access_role"])


def _principal(who: Entry) -> Principal:
    behind = who.get("on_behalf_of")
    return Principal(
        PrincipalKind(who["kind"]),
        who["name"],
        who["issuer"],
        who["subject"],
        frozenset(who["groups"]),
        on_behalf_of=None if behind is None else _principal(behind),
        asserted_agent=who.get("asserted_agent", ""),
    )


def _analysis(entry: Entry) -> Analysis:
    effects = tuple(map(_effect, entry["effects"]))
    return Analysis(
        entry["text"],
        entry["text"].strip(),
        entry.get("statements", 1),
        effects,
        _relations(entry.get("reads", entry["tables"])),
        _relations(entry.get("writes", ())),
        functions=frozenset(entry.get("functions", ())),
        searches=frozenset(Search(s["column"], How(s["how"])) for s in entry.get("searches", ())),
        incomplete=any(effect.action is Action.UNKNOWN for effect in effects),
    )


def _effect(said: Entry) -> Effect:
    return Effect(
        Action(said["action"]),
        said.get("object", ""),
        said.get("kind", ""),
        Predicate(said.get("predicate", "")),
        Danger(said.get("danger", "")),
        said.get("detail", ""),
        frozenset(said.get("columns", ())),
        said.get("destructive", False),
    )


def _relations(names: Iterable[str]) -> frozenset[Relation]:
    """Of `schema.name`; a name without a schema has none. What has dots in it reads back as it was."""
    parts = (name.partition(".") for name in names)
    return frozenset(Relation(s, n) if dot else Relation("", s) for s, dot, n in parts)
