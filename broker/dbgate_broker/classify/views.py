"""What is known of a database's columns, as it is shown: by column and path, with reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.classify.finding import Finding, Path, Source
from dbgate_core.classify.known import Kept, Known, Name
from dbgate_core.contract import ColumnClassInfo

REVIEWED: Final = 100
_RANK: Final = {Source.REVIEW: 0, Source.NAME: 1, Source.CODE: 1, Source.CONTENT: 2}


def columns_of(known: Known) -> list[ColumnClassInfo]:
    """Every column that was looked at or reviewed, in the order of their names."""
    names = sorted({*known.kept, *known.review.said})
    return [info for name in names for info in _column(known, name)]


def _column(known: Known, name: Name) -> Iterable[ColumnClassInfo]:
    kept, said = known.kept.get(name), known.review.of(name)
    found: dict[Path, list[Finding]] = {(): []}
    if kept is not None and () not in said:
        for one in kept.looked.findings:
            found.setdefault(one.path, []).append(one)
    for path in (*found, *(path for path in said if path not in found)):
        if path in said:
            reason = known.review.reasons[name, path]
            classes = sorted(one.value for one in said[path])
            yield _info(name, path, classes, REVIEWED, Source.REVIEW, [reason], kept)
        else:
            yield _of_findings(name, path, found[path], kept)


def _of_findings(
    name: Name, path: Path, findings: list[Finding], kept: Kept | None
) -> ColumnClassInfo:
    if not findings:
        return _info(name, path, [], 0, None, [], kept)
    best = min(findings, key=lambda one: (_RANK[one.source], -one.confidence))
    classes = sorted({one.data_class.value for one in findings})
    reasons = [one.reason for one in findings]
    return _info(name, path, classes, best.confidence, best.source, reasons, kept)


def _info(
    name: Name,
    path: Path,
    classes: list[str],
    confidence: int,
    source: Source | None,
    reasons: list[str],
    kept: Kept | None,
) -> ColumnClassInfo:
    return ColumnClassInfo(
        column=".".join(name),
        path=".".join(path),
        classes=classes,
        confidence=confidence,
        source=source.value if source else "",
        reasons=reasons,
        values=kept.looked.values if kept else 0,
        looked_at=kept.looked_at if kept else None,
    )
