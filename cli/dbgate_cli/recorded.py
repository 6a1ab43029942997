"""Recorded statements for `dbgate policy`: from a log's folder, or from the broker's log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from dbgate_cli import policy_files
from dbgate_cli.client import Broker
from dbgate_cli.durations import Window
from dbgate_core.audit import canonical, layout
from dbgate_core.database import DatabaseFacts
from dbgate_core.errors import UsageError

if TYPE_CHECKING:
    from dbgate_core.policy.records import Facts, Recorded

PAGE: Final = 1000
SHOW_EVERY: Final = 500
KINDS: Final = ("statement", "statement_refused")
_MARKS: Final = (b'"kind":"statement"', b'"kind":"statement_refused"', b'"kind":"statement_end"')


def of_folder(log: Path, window: Window) -> Iterator[dict[str, Any]]:
    """Statements of a log's folder that began in the window, and ends. Raises UsageError.

    What is no entry is passed over: `dbgate audit verify` is there to notice it.
    """
    for path in _segments(log):
        with _opened(path) as file:
            for line in iter(lambda: file.readline(canonical.MAX_LINE_BYTES + 1), b""):
                if not any(mark in line for mark in _MARKS):
                    continue
                try:
                    entry = canonical.entry(line)
                except ValueError:
                    continue
                if entry.get("kind") not in KINDS or _within(entry, window):
                    yield entry


def of_broker(broker: Broker, window: Window, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Statements of the broker's log that began in the window, each with its end."""
    since, until = (moment.isoformat() if moment else "" for moment in window)
    for kind in KINDS:
        asked = {**query, "kind": kind, "since": since, "until": until, "limit": str(PAGE)}
        yield from _pages(broker, asked)


def facts_of_broker(broker: Broker) -> dict[str, DatabaseFacts]:
    """The databases as their broker describes them, labels included."""
    return {
        each.name: DatabaseFacts(
            each.name, each.environment, frozenset(each.labels.items()), each.engine
        )
        for each in broker.databases()
    }


def facts_of_cases(file: Path) -> dict[str, DatabaseFacts]:
    """The databases as a case file describes them."""
    from dbgate_core.policy.casefile import read_cases

    cases = read_cases(policy_files.text_of(file))
    return {name: setting.facts for name, setting in cases.settings.items()}


def statements(entries: Iterable[dict[str, Any]], facts: Facts) -> Iterator[Recorded]:
    """The statements of the entries; how many were read is shown meanwhile on a terminal."""
    from dbgate_core.policy.records import recorded

    with _shown() as show:
        for number, each in enumerate(recorded(entries, facts), start=1):
            if number % SHOW_EVERY == 0:
                show(f"{number} statements, up to {each.at[:16]}")
            yield each


@contextmanager
def _shown() -> Iterator[Callable[[str], None]]:
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading the log") as status:
        yield lambda text: status.update(f"reading the log: {text}")


def _pages(broker: Broker, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        found = broker.audit_search({**query, "cursor": cursor})
        yield from found.entries
        if not found.next or found.next == cursor:
            return
        cursor = found.next


def _segments(log: Path) -> list[Path]:
    try:
        names = [path.name for path in log.iterdir() if path.is_file()]
    except OSError as exc:
        raise UsageError(f"cannot read the log's folder {log}: {exc.strerror}") from exc
    found = sorted(name for name in names if layout.segment_number(name) is not None)
    if not found:
        raise UsageError(f"{log} holds no segment of an audit log", hint="docs/audit.md: Files")
    return [log / name for name in found]


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}") from exc


def _within(entry: dict[str, Any], window: Window) -> bool:
    since, until = window
    try:
        at = datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return False
    return (since is None or since <= at) and (until is None or at < until)
