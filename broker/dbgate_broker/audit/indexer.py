"""Keeps the search index near the log's end, in the background and never at full speed."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import Final

from dbgate_broker.audit.index import Index

INTERVAL_S: Final = 1.0
REST: Final = 4.0
"""After each batch it rests this many times as long as the batch took: statements come first."""


class Indexer:
    """A thread. A search does not depend on it: it catches up by itself."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._stop = Event()
        self._thread = Thread(target=self._run, name="audit-indexer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            more = True
            while more and not self._stop.is_set():
                began = time.monotonic()
                more = self._index.advance()
                self._stop.wait((time.monotonic() - began) * REST)
