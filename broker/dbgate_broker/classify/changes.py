"""What a look has changed: a column that is new, a class that appeared. Classes do not go by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dbgate_core.classify.decide import Looked
from dbgate_core.classify.finding import OF_THE_CATALOG, Finding, Path
from dbgate_core.classify.known import Kept, Known
from dbgate_core.masking.classes import DataClass


@dataclass(frozen=True, slots=True)
class Change:
    """Of one column or one member of its documents. `new`: the column was not there before."""

    column: str
    path: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    reason: str
    new: bool

    def entry(self) -> dict[str, object]:
        """As the log says it."""
        return {
            "column": self.column,
            "path": self.path,
            "before": list(self.before),
            "after": list(self.after),
            "reason": self.reason,
            "new": self.new,
        }


def joined(before: Kept | None, now: Kept) -> Kept:
    """What was found now, with what content showed before: a sample that misses it acquits nothing."""
    if before is None:
        return now
    have = {(one.path, one.data_class) for one in now.looked.findings}
    old = [
        one
        for one in before.looked.findings
        if (one.path or one.source not in OF_THE_CATALOG) and (one.path, one.data_class) not in have
    ]
    if not old and set(before.looked.paths) <= set(now.looked.paths):
        return now
    paths = tuple(sorted({*before.looked.paths, *now.looked.paths}))
    looked = Looked((*now.looked.findings, *old), now.looked.values, paths)
    return replace(now, looked=looked)


def changes(known: Known, kept: Sequence[Kept]) -> list[Change]:
    """What is otherwise than before. At the first look at a database no column is new."""
    found: list[Change] = []
    for one in kept:
        before = known.kept.get(one.name)
        fresh = before is None and bool(known.kept)
        old = _classes(before.looked.findings if before else ())
        new = _classes(one.looked.findings)
        if fresh and () not in new:
            found.append(Change(".".join(one.name), "", (), (), "a new column", True))
        for path, after in sorted(new.items()):
            if after - old.get(path, set()):
                reason = "; ".join(f.reason for f in one.looked.findings if f.path == path)
                found.append(
                    Change(
                        ".".join(one.name),
                        ".".join(path),
                        tuple(sorted(old.get(path, ()))),
                        tuple(sorted(after)),
                        reason,
                        fresh,
                    )
                )
    return found


def _classes(findings: Sequence[Finding]) -> Mapping[Path, set[DataClass]]:
    by_path: dict[Path, set[DataClass]] = {}
    for one in findings:
        by_path.setdefault(one.path, set()).add(one.data_class)
    return by_path
