"""What principals use up of limits of a day: counted here, kept in the store, shared by its brokers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Final

from dbgate_broker.store import usage
from dbgate_broker.store.engine import Store
from dbgate_broker.store.usage import Place
from dbgate_core.approval.people import identity
from dbgate_core.budget import Day, Used
from dbgate_core.principal import Principal

SAVE_S: Final = 2.0
"""How often counts go to the store and come from it. What is used meanwhile a broker that is killed forgets,
and several brokers may let pass beyond a limit."""


class Days:
    """The counts of one broker: of a principal, and of an agent for whom it acts, on a database.

    `in_use` gives those that open sessions count in; those of nobody are dropped at the end of the next day.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], in_use: Callable[[], Iterable[Day]]
    ) -> None:
        self._store, self._clock, self._in_use = store, clock, in_use
        self._days: dict[Place, Day] = {}
        self._asked: set[Place] = set()
        self._date = clock().date()

    async def of(self, principal: Principal, database: str) -> Day:
        """The count of a principal. Raises Unreachable when the store does not answer."""
        await self._turn()
        place = (database, identity(principal))
        known = await self._store.call(usage.load, self._date, place)
        if (day := self._days.get(place)) is None:
            day = self._days[place] = Day(database)
            day.begin(known)
        self._asked.add(place)
        return day

    async def save(self) -> None:
        """Bring the store what was counted, and learn what others did. Raises Unreachable: then it is kept."""
        await self._turn()
        await self._save(self._date)

    async def _turn(self) -> None:
        """After midnight: what was counted until now is of the day before."""
        today, before = self._clock().date(), self._date
        if before == today:
            return
        self._date = today
        await self._save(before)
        used = {id(day) for day in self._in_use()}
        self._days = {
            place: day
            for place, day in self._days.items()
            if place in self._asked or id(day) in used or day.unsaved != Used()
        }
        self._asked = set()
        for place, day in list(self._days.items()):
            day.begin(await self._store.call(usage.load, today, place))
        await self._store.call(usage.forget, today)

    async def _save(self, of: date) -> None:
        for place, day in list(self._days.items()):
            part = day.unsaved
            if part != Used() or not self._store.single_broker:
                day.saved(part, await self._store.call(usage.add, of, place, part))
