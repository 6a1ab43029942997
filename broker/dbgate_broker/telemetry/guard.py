"""Guards whose work is timed now and then: one statement of each connection a second.

Reading a clock around each step of each statement would cost more than some steps do. So a guard is
a plain one until it is told to time its next statement; for that one it is of another class.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns
from typing import Final
from weakref import WeakSet

from dbgate_broker.telemetry.tally import Histogram, Tally
from dbgate_core.audit.recorder import Recorder
from dbgate_core.guard import ConnectionGuard
from dbgate_core.pgwire.guard import (
    CopyMask,
    Hold,
    Outcome,
    Parameters,
    Permit,
    Refusal,
    RowMask,
    Running,
)
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import Picture, Scope
from dbgate_core.verdicts import Verdicts

PERIOD_S: Final = 1.0

Announce = Callable[[str, Mapping[str, object]], None]
"""`notifications.service.Notifier.announce`."""


def quiet(kind: str, entry: Mapping[str, object]) -> None:
    """Tell nobody."""


class SampledGuard(ConnectionGuard):
    """A `ConnectionGuard`; after `sample` it times its next statement into its tally."""

    def __init__(
        self,
        scope: Scope,
        picture: Picture,
        verdicts: Verdicts,
        recorder: Recorder,
        tally: Tally,
        announce: Announce = quiet,
    ) -> None:
        super().__init__(scope, picture, verdicts, recorder, monotonic_ns)
        self._tally = tally
        self._announce = announce

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write an entry of this connection, and tell of it. Raises AuditUnavailable."""
        super().note(kind, fields)
        self._announce(kind, {"scope": self._scope.entry, **fields})

    def sample(self) -> None:
        """Time the next statement."""
        self.__class__ = _TimedGuard

    def _rest(self) -> None:
        self.__class__ = SampledGuard


class _TimedGuard(SampledGuard):
    """The same while a statement is timed, from its judgement (or its begin) to its end."""

    def judge(self, text: str) -> Permit | Refusal | Hold:
        started = monotonic_ns()
        judged = super().judge(text)
        self._tally.judge.observe(monotonic_ns() - started)
        return judged

    def begin(self, permit: Permit, parameters: Parameters | None, protocol: str) -> Running:
        started = monotonic_ns()
        begun = super().begin(permit, parameters, protocol)
        self._tally.record.observe(monotonic_ns() - started)
        return begun

    def end(self, running: Running, outcome: Outcome) -> str | None:
        started = monotonic_ns()
        told = super().end(running, outcome)
        self._tally.record.observe(monotonic_ns() - started)
        self._rest()
        return told

    def rows(self, permit: Permit, fields: Sequence[Field]) -> RowMask | None:
        started = monotonic_ns()
        mask = super().rows(permit, fields)
        self._tally.plan.observe(monotonic_ns() - started)
        return None if mask is None else TimedRows(mask, self._tally.mask)

    def copy_out(self, permit: Permit, binary: bool, columns: int) -> CopyMask | None:
        started = monotonic_ns()
        mask = super().copy_out(permit, binary, columns)
        self._tally.plan.observe(monotonic_ns() - started)
        return None if mask is None else TimedCopy(mask, self._tally.mask)


class TimedRows:
    """A RowMask whose every run of rows is timed."""

    def __init__(self, mask: RowMask, times: Histogram) -> None:
        self._mask = mask
        self._times = times

    @property
    def values(self) -> int:
        """As the other one's."""
        return self._mask.values

    def rewrite(self, messages: bytes) -> bytes:
        """As the other one's."""
        started = monotonic_ns()
        masked = self._mask.rewrite(messages)
        self._times.observe(monotonic_ns() - started)
        return masked


class TimedCopy:
    """A CopyMask whose every piece is timed."""

    def __init__(self, mask: CopyMask, times: Histogram) -> None:
        self._mask = mask
        self._times = times

    @property
    def values(self) -> int:
        """As the other one's."""
        return self._mask.values

    def rewrite(self, data: bytes) -> bytes:
        """As the other one's."""
        started = monotonic_ns()
        masked = self._mask.rewrite(data)
        self._times.observe(monotonic_ns() - started)
        return masked

    def finish(self) -> bytes:
        """As the other one's."""
        return self._mask.finish()


class Sampler:
    """Tells every guard, once a second, to time its next statement."""

    def __init__(self) -> None:
        self.guards: WeakSet[SampledGuard] = WeakSet()

    def tick(self) -> None:
        """Tell them."""
        for guard in list(self.guards):
            guard.sample()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            self.tick()
