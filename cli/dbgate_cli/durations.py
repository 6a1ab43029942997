"""Durations as people type them: `90s`, `30m`, `1h30m`, `2d`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from dbgate_core.errors import UsageError

UNITS_S: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WHOLE = re.compile(r"(?:\d{1,6}[dhms])+")
_PART = re.compile(r"(\d+)([dhms])")


def seconds(text: str) -> int:
    """The seconds of a duration, one at least. Raises UsageError for anything else."""
    found = text.strip().lower()
    total = sum(int(n) * UNITS_S[unit] for n, unit in _PART.findall(found))
    if not _WHOLE.fullmatch(found) or total == 0:
        raise UsageError(f"{text!r} is not a duration", hint="write 30s, 15m, 1h30m or 2d")
    return total


def moment(text: str, now: datetime) -> datetime:
    """A point in time: an ISO 8601 date or time (local when no zone is given), or a duration ago."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - timedelta(seconds=seconds(text))
        except (UsageError, OverflowError) as exc:
            raise UsageError(
                f"{text!r} is not a time", hint="write 2026-01-31, 2026-01-31T12:00 or 2h (ago)"
            ) from exc
    return found.astimezone(UTC)


Window = tuple[datetime | None, datetime | None]
"""From, included, and to, not included; None is without a bound."""


def window(text: str, now: datetime) -> Window:
    """A stretch of time: `FROM..TO`, each as `moment` takes it, or nothing for no bound."""
    start, dots, end = text.partition("..")
    if not dots:
        raise UsageError(
            f"{text!r} is not a stretch of time",
            hint="write FROM..TO: 2026-01-01..2026-02-01, or 7d.. for the last week",
        )
    found = tuple(moment(each, now) if each else None for each in (start, end))
    if found[0] and found[1] and found[0] >= found[1]:
        raise UsageError(f"{text!r} ends before it begins")
    return found[0], found[1]
