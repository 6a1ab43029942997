"""The quick part of the proof of transparency; `make transparency` is the whole of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import programs
from tests.transparency import document
from tests.transparency.__main__ import compare
from tests.transparency.known import Entry, Known
from tests.transparency.results import Difference, Outcome, Result, differences
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Sources
from tests.transparency.stack import stack
from tests.transparency.suites import SUITES
from tests.transparency.suites.dump import Dump
from tests.transparency.suites.pgbench import Pgbench
from tests.transparency.suites.psql import Psql

QUICK = (Psql("verbose"), Pgbench("prepared"), Dump("custom"))


@pytest.mark.e2e
def test_postgresqls_own_programs_do_through_dbgate_what_they_do_directly(tmp_path: Path) -> None:
    if shutil.which("pgbench") is None or shutil.which("openssl") is None:
        pytest.skip("pgbench or openssl is not installed")
    programs.server(tls=True)
    known = Known.load()
    with stack([REGRESSION]) as running:
        for suite in QUICK:
            compared = compare(suite, running, tmp_path, Sources())
            assert compared.direct, compared.missing
            assert {r.outcome for r in compared.direct.values()} == {Outcome.PASSED}
            assert [d for d in compared.differences if not known.reasons(d)] == []


def test_every_known_difference_is_of_a_suite_and_has_a_reason() -> None:
    for entry in Known.load().entries:
        assert entry.suite in {suite.name for suite in SUITES}
        assert entry.reason
        assert entry.tests
        assert entry.lines
        assert "*" not in entry.lines


def test_the_document_lists_the_differences_that_are_known() -> None:
    text = document.DOCUMENT.read_text()
    wanted = document.differences(Known.load())
    assert document.part(text, "differences") == wanted, (
        "run: python -m tests.transparency --record"
    )


def test_a_new_row_takes_the_place_of_the_suites_older_one() -> None:
    text = "<!-- results: begin -->\n" + document.HEAD + "| b | 1 | 5 | 5 | 0 | 0 |\n| c |\n"
    text += "<!-- results: end -->\n"
    rows = {"b": document.Row("2", 5, 1, 1), "a": document.Row("1", 2, 0, 0)}
    wanted = "| a | 1 | 2 | 2 | 0 | 0 |\n| b | 2 | 5 | 3 | 1 | 1 |\n| c |\n"
    assert document.results(text, rows) == document.HEAD + wanted


def test_a_difference_is_known_only_when_each_of_its_lines_is() -> None:
    known = Known([Entry("psql", ["a*"], ["-LOCATION*"], "why")])
    assert known.reasons(Difference("psql", "ab", ["-LOCATION: x"])) == ["why"]
    assert known.reasons(Difference("psql", "ab", ["-LOCATION: x", "+more"])) == []
    assert known.reasons(Difference("psql", "b", ["-LOCATION: x"])) == []
    assert known.reasons(Difference("dump", "ab", ["-LOCATION: x"])) == []


def test_an_entry_that_explained_nothing_is_told() -> None:
    known = Known([Entry("psql", ["*"], ["-x"], "why")])
    assert known.reasons(Difference("psql", "a", ["-x", "-y"])) == []
    assert [entry.reason for entry in known.unmet(["psql"])] == ["why"]
    assert known.unmet(["pg_dump"]) == []


def test_outcome_output_and_absence_are_differences() -> None:
    passed, failed = Result(Outcome.PASSED, "a\nb"), Result(Outcome.FAILED, "a\nb", "broke")
    found = differences("s", {"x": passed, "y": passed, "z": passed}, {"x": failed, "y": passed})
    assert [(d.test, list(d.lines)) for d in found] == [
        ("x", ["passed directly, failed through dbgate: broke"]),
        ("z", ["ran directly only"]),
    ]
    other = differences("s", {"x": passed}, {"x": Result(Outcome.PASSED, "a\nc")})
    assert list(other[0].lines) == ["-b", "+c"]
