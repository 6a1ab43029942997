"""An attack both ways: it works on PostgreSQL, and through dbgate nothing comes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from dbgate_core.holds import DENIED
from dbgate_core.pgwire.messages import decode_fields
from tests.corpus import state
from tests.corpus.cases import Case
from tests.corpus.place import ALONE, DIRECT, GOVERNED, Place
from tests.corpus.talk import Talk, errors
from tests.integration.gateway.raw import Message

FATAL = "protocol"
"""The rule of what ends the connection, or stands in no entry: the protocol's own."""

LASTING = frozenset({"files", "victim", "ticks", "advisory", "prepared"})
"""What a rollback does not bring back; nor any sequence."""


@dataclass
class Verdict:
    """What was seen of an attack; an empty `failed` means that all is as its file says."""

    case: Case
    works: bool = False
    stopped: bool = True
    rules: dict[str, set[str]] = field(default_factory=dict)
    """By form, those of the first refusal."""
    failed: str = ""


@dataclass
class Seen:
    """What one way of an attack brought about."""

    answers: list[Message]
    lasted_ms: float
    changed: set[str] = field(default_factory=set)

    def worked(self, case: Case) -> bool:
        """Whether what the file says came of it."""
        if shows := case["shows"]:
            return any(shows.encode() in body for body in _told(self.answers))
        if lasts := case["lasts_ms"]:
            return self.lasted_ms >= float(lasts)
        return case["effect"] in self.changed


class Attacks:
    """Runs attacks on one place, on as few connections as it can."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._clean: dict[str, state.State] = {}
        self._talks: dict[tuple[str, ...], Talk] = {}

    def close(self) -> None:
        for talk in self._talks.values():
            talk.close()
        self._talks.clear()

    def run(self, case: Case) -> Verdict:
        """Attack both ways."""
        verdict = Verdict(case)
        direct = self._alone(case) if case["alone"] else self._straight(case)
        verdict.works = direct.worked(case)
        if not verdict.works:
            said = "; ".join(fields["M"] for fields in errors(direct.answers))
            verdict.failed = f"does not work on PostgreSQL: changed {sorted(direct.changed)} {said}"
        for form in case.forms:
            self._governed(case, form, verdict)
        if not verdict.failed:
            verdict.failed = _judged(verdict)
        return verdict

    def _straight(self, case: Case) -> Seen:
        """In a transaction that is rolled back."""
        clean = self._clean.get(DIRECT) or self._note(DIRECT)
        talk = self._talk(("direct", case.user), case)
        talk.say("begin")
        seen = self._send(talk, case, case.forms[0])
        if now := state.state_of(talk.rows(state.READ)):  # nothing after an error
            seen.changed = state.changed(clean, now)
        talk.say("rollback")
        talk.say("discard all")
        if any(part in LASTING or part.endswith("_seq") for part in seen.changed):
            self._undo(case, DIRECT)
            self._clean.clear()
        return seen

    def _alone(self, case: Case) -> Seen:
        """In a database of its own."""
        self.place.make(ALONE)
        clean = self._note(ALONE)
        talk = Talk(self.place.direct(case.user, ALONE), case.data)
        try:
            seen = self._send(talk, case, case.forms[0])
        finally:
            talk.close()
        seen.changed = state.changed(clean, self._note(ALONE))
        self._undo(case, ALONE)
        self._clean.clear()  # databases, roles and settings are everybody's
        return seen

    def _governed(self, case: Case, form: str, verdict: Verdict) -> None:
        """Through dbgate: what is looked for must not come of it."""
        clean = self._clean.get(GOVERNED) or self._note(GOVERNED)
        first = len(self.place.entries.all)
        key = ("governed", case.user, case.session)
        talk = self._talk(key, case)
        seen = self._send(talk, case, form)
        for step in ("commit", "rollback", "discard all"):
            talk.say(step)
        seen.changed = state.changed(clean, self.place.state(GOVERNED))
        refusals = [dict(f) for kind, f in self.place.entries.all[first:] if kind == "statement_refused"]  # fmt: skip
        verdict.rules[form] = set(_rules(refusals[0])) if refusals else {FATAL}
        if seen.worked(case):
            verdict.stopped = False
        if seen.changed:
            self._restore(case)

    def _restore(self, case: Case) -> None:
        """Something came through, be it only a first step: all is made anew."""
        self.close()
        self._undo(case, GOVERNED)
        self.place.make(GOVERNED)
        self._clean.clear()  # databases, roles and settings are everybody's

    def _undo(self, case: Case, name: str) -> None:
        self.place.tidy()
        if case["undo"]:
            for sql in case["undo"].split("; "):
                self.place.superuser(sql, name)

    def _note(self, name: str) -> state.State:
        self._clean[name] = self.place.state(name)
        return self._clean[name]

    def _send(self, talk: Talk, case: Case, form: str) -> Seen:
        started = time.monotonic()
        answers: list[Message] = []
        for step in case.steps:
            answers += talk.say(self.place.filled(step), form, case.values)
        return Seen(answers, (time.monotonic() - started) * 1000)

    def _talk(self, key: tuple[str, ...], case: Case) -> Talk:
        """The connection of that kind, a new one if it ended."""
        talk = self._talks.get(key)
        if talk is None or not talk.alive:
            way, user, *role = key
            if way == "direct":
                talk = Talk(self.place.direct(user))
            else:
                talk = Talk(self.place.governed(user, *role), completed=self.place.completed)
            self._talks[key] = talk
        talk.data = case.data
        return talk


def _told(answers: list[Message]) -> Iterator[bytes]:
    """What an answer shows, without the words in which something is refused."""
    for kind, body in answers:
        if kind in "DdCNV" or (kind == "E" and decode_fields(body)["C"] != DENIED):
            yield body


def _rules(refusal: Mapping[str, object]) -> list[str]:
    policies = refusal.get("policies")
    found = [str(rule) for rule in policies] if isinstance(policies, list) else []
    return found or [str(refusal.get("code", "")) or "default-deny"]


def _judged(verdict: Verdict) -> str:
    case = verdict.case
    for mark in ("open", "allowed"):
        if case[mark]:
            return f"is stopped now: remove its mark `{mark}`" if verdict.stopped else ""
    if not verdict.stopped:
        return "is not stopped"
    for form, rules in verdict.rules.items():
        if case["rule"] not in rules:
            return f"{form}: is stopped by {', '.join(sorted(rules))}, not by {case['rule']}"
    return ""


@contextmanager
def attacks(place: Place) -> Iterator[Attacks]:
    """Attacks on a place; their connections are closed at the end."""
    it = Attacks(place)
    try:
        yield it
    finally:
        it.close()
