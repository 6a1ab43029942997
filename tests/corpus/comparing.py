"""A harmless case both ways: the same answers, message by message, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.corpus.cases import Case
from tests.corpus.place import DIRECT, GOVERNED, Place
from tests.corpus.talk import Talk, errors
from tests.differential.comparison import Form, Shown
from tests.integration.gateway.raw import Message


@dataclass
class Compared:
    """A harmless case and what was different, if anything."""

    case: Case
    failed: str = ""


class Harmless:
    """Sends harmless cases both ways, to databases that were alike before the first."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._talks: dict[tuple[str, str], tuple[Talk, Talk]] = {}

    def close(self) -> None:
        for both in self._talks.values():
            for talk in both:
                talk.close()
        self._talks.clear()

    def run(self, case: Case) -> Compared:
        """Compare all its forms."""
        differences = [
            f"{form}: {it}" for form in case.forms if (it := self._different(case, form))
        ]
        if case["open"]:
            return Compared(case, "" if differences else "is the same now: remove its mark `open`")
        return Compared(case, "; ".join(differences))

    def _different(self, case: Case, form: str) -> str:
        direct, governed = self._both(case)
        expected, found = Shown(direct.peer.pid), Shown(governed.peer.pid)
        failed = ""
        for step in case.steps:
            text = self.place.filled(step)
            ours = direct.say(text, form, case.values)
            theirs = governed.say(text, form, case.values)
            failed = failed or _parted(expected, ours, found, theirs, bool(case["fails"]))
        for talk in (direct, governed):
            talk.say("rollback")
            talk.say("discard all")
        return failed

    def _both(self, case: Case) -> tuple[Talk, Talk]:
        key = case.user, case.session
        if key not in self._talks or not all(talk.alive for talk in self._talks[key]):
            self._talks[key] = (
                Talk(self.place.direct(case.user)),
                Talk(self.place.governed(*key), completed=self.place.completed),
            )
        for talk in self._talks[key]:
            talk.data = case.data
        return self._talks[key]


def _parted(
    expected: Shown, ours: list[Message], found: Shown, theirs: list[Message], fails: bool
) -> str:
    """Where the answers part; "" if nowhere. Only a case that says so may get an error at all."""
    left = [expected.of(it) for it in ours]
    right = [found.of(it) for it in theirs]
    for n in range(max(len(left), len(right))):
        one: Form | str = left[n] if n < len(left) else "nothing"
        other: Form | str = right[n] if n < len(right) else "nothing"
        if one != other:
            return f"message {n}: direct {one}, dbgate {other}"
    if not fails and (told := errors(ours)):
        return f"is an error on both ways: {told[0]['M']}"
    return ""


@contextmanager
def harmless(place: Place) -> Iterator[Harmless]:
    """Comparisons on a place, its databases made alike before; connections are closed at the end."""
    for name in (DIRECT, GOVERNED):
        place.make(name)
    it = Harmless(place)
    try:
        yield it
    finally:
        it.close()
