"""The notation of case files: statements, and below each, indented, its effects one a line.

`action object kind ?predicate !danger (columns) : detail *`, each part only where there is one; an
object of nothing is `-`; the star is for destructive. `reads`, `writes` and flags are lines of their
own, compared when they stand there. A statement that starts with `\\e ` has Python's escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Effect

FOLDER = Path(__file__).parent
_ESCAPED = "\\e "


@dataclass(frozen=True)
class Case:
    """A statement with what stands below it in the file."""

    name: str
    text: str
    expected: frozenset[str]


def cases(file: Path) -> list[Case]:
    """The cases of a file."""
    found: list[Case] = []
    group = ""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.startswith("# "):
            group = line[2:]
        elif line.startswith("    "):
            last = found.pop()
            found.append(Case(last.name, last.text, last.expected | {line.strip()}))
        elif line:
            found.append(Case(f"{file.stem}:{number} {group}", _unescaped(line), frozenset()))
    return found


def _unescaped(line: str) -> str:
    if not line.startswith(_ESCAPED):
        return line
    return (
        line.removeprefix(_ESCAPED).encode("latin-1", "backslashreplace").decode("unicode_escape")
    )


def written(effect: Effect) -> str:
    """One effect in the notation."""
    parts = [effect.action.value, effect.object or "-", effect.kind]
    parts += [f"?{effect.predicate}" if effect.predicate else ""]
    parts += [f"!{effect.danger}" if effect.danger else ""]
    parts += [f"({','.join(sorted(effect.columns))})" if effect.columns else ""]
    parts += [f": {effect.detail}" if effect.detail else "", "*" if effect.destructive else ""]
    return " ".join(part for part in parts if part)


def lines(analysis: Analysis) -> frozenset[str]:
    """All that a case may say of an analysis."""
    flags = ("incomplete", "moves_names", "changes_schema", "sets_search_path", "returns_rows")
    found = {written(effect) for effect in analysis.effects}
    found |= {f"flag {flag}" for flag in flags if getattr(analysis, flag)}
    found.add(f"reads {' '.join(sorted(map(str, analysis.reads)))}".strip())
    found.add(f"writes {' '.join(sorted(map(str, analysis.writes)))}".strip())
    found.add(f"statements {analysis.statements}")
    return frozenset(found)


_OPTIONAL = ("reads", "writes", "flag", "statements")


def told(analysis: Analysis, expected: frozenset[str]) -> frozenset[str]:
    """The lines of the analysis that the case has to have: effects always, the rest if it says so."""
    kinds = {line.split()[0] for line in expected} & set(_OPTIONAL)
    return frozenset(
        line
        for line in lines(analysis)
        if (first := line.split()[0]) not in _OPTIONAL or first in kinds
    )


def show(text: str) -> str:
    """A case as the file would have it, for a new row to be reviewed."""
    return "\n".join([text, *(f"    {written(effect)}" for effect in analyse(text).effects)])
