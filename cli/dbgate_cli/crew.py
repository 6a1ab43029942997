"""Threads for what blocks."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from typing import Final

from dbgate_cli import signals

MAX_WORKERS: Final = 32
"""Jobs at once; the next ones wait their turn."""


class Crew:
    """One thread for each job, MAX_WORKERS at once, gone when there is none."""

    def __init__(self) -> None:
        self._jobs: collections.deque[Callable[[], None]] = collections.deque()
        self._workers = 0
        self._lock = threading.Lock()

    def take(self, job: Callable[[], None]) -> None:
        """Have a job done soon; it raises nothing."""
        with self._lock:
            self._jobs.append(job)
            if self._workers == MAX_WORKERS:
                return
            self._workers += 1
        threading.Thread(target=self._work, name="crew", daemon=True).start()

    def _work(self) -> None:
        signals.block_in_thread()
        while job := self._next():
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._workers -= 1
            return None
