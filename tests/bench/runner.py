"""Takes the measurements: in rounds, the subjects of each interleaved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench import peers
from tests.bench.stack import Bench
from tests.bench.work import Figures, Work


def chosen(works: Sequence[Work], names: Sequence[str]) -> list[Work]:
    """Those whose name begins with one of these; all when there are none. Raises LookupError."""
    for name in names:
        if not any(work.name.startswith(name) for work in works):
            known = ", ".join(work.name for work in works)
            raise LookupError(f"nothing is called {name}; there are {known}")
    return [work for work in works if not names or work.name.startswith(tuple(names))]


@dataclass(slots=True)
class Results:
    """Work -> subject -> figures, a round each; and what went wrong in each work."""

    taken: dict[str, dict[str, list[Figures]]]
    failures: dict[str, list[str]]


def run(bench: Bench, works: Sequence[Work], say: Callable[[str], None]) -> Results:
    """Take all works in rounds.

    Each round begins with the next subject, so that none always comes first. What fails is said
    and the work's round left out: one fault must not cost the rest of a run.
    """
    results = Results({work.name: defaultdict(list) for work in works}, defaultdict(list))
    for number in range(bench.effort.rounds):
        for work in works:
            if number < (work.rounds or bench.effort.rounds):
                _round(bench, work, number, results, say)
    return results


def _round(
    bench: Bench, work: Work, number: int, results: Results, say: Callable[[str], None]
) -> None:
    subjects = [name for name in work.subjects if peers.available(name)]
    first = number % max(1, len(subjects))
    found: dict[str, Figures] = {}
    for subject in subjects[first:] + subjects[:first]:
        where = f"round {number + 1}: {work.name}: {subject}"
        try:
            found[subject] = work.take(bench, subject)
        except Exception as exc:
            results.failures[work.name].append(f"{subject}: {type(exc).__name__}: {exc}")
            say(f"{where}: FAILED: {type(exc).__name__}: {exc}")
        else:
            shown = "  ".join(f"{name} {value:,.4g}" for name, value in found[subject].items())
            say(f"{where}: {shown}")
    if len(found) == len(subjects):  # else the pairs of one round would come apart
        for subject, figures in found.items():
            results.taken[work.name][subject].append(figures)
