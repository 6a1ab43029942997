"""Judging ahead: a text that takes long to judge is judged aside, while other connections go on.

The guard of a connection says what work is due, somebody does it on another thread, and the guard then
finds it done. One text at a time, for a connection waits while its text is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from dbgate_core.errors import DbgateError
from dbgate_core.verdicts import Judged

Work = Callable[[], None]


class Ahead:
    """The judgement of one text, made ahead, under a key of all that it rests on."""

    def __init__(self) -> None:
        self._made: tuple[Hashable, Judged | DbgateError] | None = None

    def has(self, key: Hashable) -> bool:
        """Whether this was judged."""
        return self._made is not None and self._made[0] == key

    def work(self, key: Hashable, judge: Callable[[], Judged]) -> Work:
        """What is to be done aside; what it gives replaces what there was."""

        def do() -> None:
            try:
                self._made = (key, judge())
            except DbgateError as exc:
                self._made = (key, exc)

        return do

    def take(self, key: Hashable) -> Judged | None:
        """The judgement, if it was made. Raises what judging raised."""
        if self._made is None or self._made[0] != key:
            return None
        found = self._made[1]
        if isinstance(found, DbgateError):
            raise found
        return found

    def made(self, judged: Judged) -> bool:
        """Whether it is this judgement."""
        return self._made is not None and self._made[1] is judged

    def drop(self) -> None:
        """Forget it: its text may be long."""
        self._made = None
