"""How many people of which groups an approval takes: `dba:1`, or `dba:2,security:1`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from dbgate_core.errors import UsageError

MAX_SEATS: Final = 20
"""More than this many votes for one request is a mistake in a policy."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """Seats to be filled, each by another person: one group's name a seat."""

    seats: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `group:n`, several of them joined by commas. Raises UsageError for anything else."""
        seats: list[str] = []
        for part in text.split(","):
            group, colon, count = part.strip().rpartition(":")
            plain = count.isascii() and count.isdigit() and len(count) <= 2
            if not (colon and group and plain) or any(c in group for c in ": \t\r\n"):
                raise UsageError(
                    f"{text!r} is not a quorum",
                    hint='write @approval("group:number"), such as dba:1 or dba:1,security:1',
                )
            seats += [group] * int(count)
            if not int(count) or len(seats) > MAX_SEATS:
                raise UsageError(f"the quorum {text!r} asks for none, or over {MAX_SEATS} people")
        return cls(tuple(seats))

    @property
    def groups(self) -> frozenset[str]:
        """The groups whose members decide."""
        return frozenset(self.seats)

    def filled_by(self, people: Sequence[frozenset[str]]) -> bool:
        """Whether distinct people, given by their groups, can take all seats.

        One person in two groups takes one seat. It is a bipartite matching (Kuhn), so nobody
        blocks a seat that only he could leave to another.
        """
        taken: dict[int, int] = {}

        def seat(number: int, tried: set[int]) -> bool:
            for person, groups in enumerate(people):
                if self.seats[number] in groups and person not in tried:
                    tried.add(person)
                    if person not in taken or seat(taken[person], tried):
                        taken[person] = number
                        return True
            return False

        return all(seat(number, set()) for number in range(len(self.seats)))
