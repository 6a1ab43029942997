"""What a run of the corpus found, as a table by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tests.corpus.attacking import Verdict
from tests.corpus.comparing import Compared

T = TypeVar("T")


def attacks(verdicts: Sequence[Verdict]) -> Iterable[str]:
    """The table of attacks, then the open ones, and those that are not meant to be stopped."""
    names = ("count", "work", "stopped", "allowed", "open", "wrong")
    yield f"{'attacks':32} {' '.join(f'{name:>7}' for name in names)}"
    for name, mine in _by_group(verdicts, lambda v: v.case.group):
        yield _attack_row(name, mine)
    yield _attack_row("all", verdicts)
    for mark in ("open", "allowed"):
        for verdict in verdicts:
            if reason := verdict.case[mark]:
                yield f"{mark}: {verdict.case}: {reason}"


def _attack_row(name: str, of: Sequence[Verdict]) -> str:
    works, stopped = sum(v.works for v in of), sum(v.stopped for v in of)
    allowed, still_open = (sum(bool(v.case[mark]) for v in of) for mark in ("allowed", "open"))
    counts = (len(of), works, stopped, allowed, still_open, sum(bool(v.failed) for v in of))
    return f"{name:32} {' '.join(f'{count:7}' for count in counts)}"


def harmless(compared: Sequence[Compared]) -> Iterable[str]:
    """The table of harmless cases, then the open ones."""
    yield f"{'harmless':32} {'count':>6} {'same':>6} {'different':>10}"
    for name, mine in [*_by_group(compared, lambda c: c.case.group), ("all", compared)]:
        different = sum(bool(c.failed or c.case["open"]) for c in mine)
        yield f"{name:32} {len(mine):6} {len(mine) - different:6} {different:10}"
    for it in compared:
        if reason := it.case["open"]:
            yield f"open: {it.case}: {reason}"


def _by_group(found: Sequence[T], group: Callable[[T], str]) -> list[tuple[str, list[T]]]:
    groups: dict[str, list[T]] = {}
    for it in found:
        groups.setdefault(group(it), []).append(it)
    return list(groups.items())
