"""The seam to the audit log: what everything that acts writes before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Recorder(Protocol):
    """An append-only log. Thread-safe."""

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Write one entry; its index. On return the entry is *written*: it survives the process.

        `fields` hold JSON values (str, int, bool, None, lists, objects, and what
        `canonical.fragment` made of one); the log itself adds
        `index`, `time` and `prev`. Raises AuditUnavailable when it cannot be written: then what it
        announces may not happen.
        """
