"""Signals that ask to end: held back where they would leave a session open, else raised."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, TypeVar

ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_T = TypeVar("_T")


class Interrupted(BaseException):
    """SIGTERM or SIGHUP came; every `finally` runs, then the exit code is 128 + number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Within it, SIGTERM and SIGHUP raise Interrupted."""
    previous = {number: signal.signal(number, _raise) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Within it, signals that ask to end wait."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def block_in_thread() -> None:
    """Leave every signal to the main thread: one that another took would get past `held`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGQUIT, *ENDING})


class Hold:
    """Holds signals back from before a call until `release`, so that its result is never lost."""

    def __init__(self) -> None:
        self._mask: set[int | signal.Signals] | None = None

    def around(self, call: Callable[[], _T]) -> _T:
        """Call; when it succeeds, signals stay held: the caller releases them in its `try`."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING})
        try:
            result = call()
        except BaseException:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            raise
        self._mask = set(mask)
        return result

    def release(self) -> None:
        """Let signals through, also those that came meanwhile."""
        if self._mask is not None:
            mask, self._mask = self._mask, None
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _raise(number: int, frame: object) -> NoReturn:
    raise Interrupted(number)
