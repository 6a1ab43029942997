"""The report: a table on the terminal, the same in Markdown, everything in JSON."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from tests.bench.runner import Results
from tests.bench.work import Figures, Goal, Line, Work

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
HEADINGS = ("work", "goal", "dbgate", "result", "beside it")


def lines_of(works: Sequence[Work], results: Results) -> list[Line]:
    """Every line of these works; one without a figure says what failed."""
    found = []
    for work in works:
        failed = results.failures.get(work.name, ())
        for line in work.lines(results.taken[work.name]):
            if line.figure is None and not line.note:
                line = replace(line, note=f"not measured: {failed[-1] if failed else 'no peer'}")
            found.append(line)
    return found


def number(value: float) -> str:
    """With as many digits as mean something."""
    if not math.isfinite(value):
        return "no answer"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def shown(value: float, unit: str) -> str:
    """A figure with its unit; ratios as `x 0.90`, and what never came as `no answer`."""
    if not math.isfinite(value):
        return number(value)
    return f"x {value:.2f}" if unit == "x" else f"{number(value)} {unit}".rstrip()


def row(line: Line) -> tuple[str, str, str, str, str]:
    """A line's cells, in the order of HEADINGS."""
    beside = ", ".join(
        f"{name} {number(value)}" for name, value in line.beside.items() if value is not None
    )
    if line.figure is None:
        return line.what, _goal(line), "-", line.note, beside
    return line.what, _goal(line), shown(line.figure, line.unit), _result(line), beside


def _goal(line: Line) -> str:
    if line.goal is None:
        return ""
    return f"{'>=' if line.goal.at_least else '<='} {shown(line.goal.limit, line.unit)}"


def _result(line: Line) -> str:
    if line.goal is None or line.figure is None:
        return ""
    return judged(line.goal, line.figure)


def judged(goal: Goal, figure: float) -> str:
    """`met`, or by how much of the goal it was missed."""
    missed = goal.missed_by(figure)
    if not missed:
        return "met"
    if not math.isfinite(missed):
        return "MISSED"
    if not goal.limit:
        return f"MISSED by {number(missed)}"
    return f"MISSED by {missed:.0%}" if missed < 1 else f"MISSED: x {1 + missed:.1f} the goal"


def table(lines: Sequence[Line]) -> Table:
    """For the terminal."""
    found = Table(title="medians of the rounds; ratios are medians of the ratios within each round")
    for heading in HEADINGS:
        found.add_column(heading, justify="right" if heading in ("goal", "dbgate") else "left")
    for line in lines:
        found.add_row(*row(line))
    return found


def markdown(lines: Sequence[Line], machine: Mapping[str, object], effort: str) -> str:
    """For docs/performance.md: where and how it was measured, and the table."""
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    head = f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}"
    rows = "\n".join(f"| {' | '.join(row(line))} |" for line in lines)
    return f"Measured: {where}. {effort}.\n\n{head}\n{rows}\n"


def place(file: Path, text: str) -> None:
    """Put text between the file's two marks. Raises ValueError when they are not there."""
    before, begin, rest = file.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} lacks {BEGIN} ... {END}")
    file.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def as_json(
    machine: Mapping[str, object],
    effort: Mapping[str, object],
    lines: Sequence[Line],
    results: Results,
) -> str:
    """All figures, with every round's."""
    works = {
        name: {subject: _summed(rounds) for subject, rounds in subjects.items()}
        for name, subjects in results.taken.items()
    }
    told = [
        dict(zip(HEADINGS, row(line), strict=True)) | {"figure": _finite(line.figure)}
        for line in lines
    ]
    whole: dict[str, object] = {"machine": machine, "effort": effort, "lines": told, "works": works}
    whole["failures"] = results.failures
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity: what never came is null."""
    return value if value is not None and math.isfinite(value) else None


def _summed(rounds: Sequence[Figures]) -> dict[str, dict[str, object]]:
    names = rounds[0] if rounds else {}
    values = {name: [figures[name] for figures in rounds] for name in names}
    return {
        name: {"median": _finite(statistics.median(all_)), "rounds": [_finite(v) for v in all_]}
        for name, all_ in values.items()
    }
