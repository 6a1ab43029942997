"""Names that the protocol gave are not run by SQL."""

from __future__ import annotations

from dbgate_core.pgwire.guard import Moved
from dbgate_core.pgwire.taken import MAX_NAMES, Taken

EXECUTE = Moved(executes=frozenset({"s"}))
FETCH = Moved(fetches=frozenset({"s"}))


def test_what_parse_and_bind_named_is_not_run_by_sql() -> None:
    taken = Taken()
    assert taken.run_by(EXECUTE) == taken.run_by(FETCH) == ""
    taken.statement("s")
    assert (taken.run_by(EXECUTE), taken.run_by(FETCH)) == ("s", "")
    taken.portal("s")
    assert taken.run_by(FETCH) == "s"
    taken.no_portals()
    assert (taken.run_by(EXECUTE), taken.run_by(FETCH)) == ("s", "")


def test_the_unnamed_ones_are_none_that_sql_could_name() -> None:
    taken = Taken()
    taken.statement("")
    taken.portal("")
    assert not taken.has_portals


def test_beyond_so_many_names_all_count_as_given() -> None:
    taken = Taken()
    for n in range(MAX_NAMES + 1):
        taken.portal(f"portal {n}")
        taken.statement(f"statement {n}")
    assert taken.has_portals
    assert (taken.run_by(EXECUTE), taken.run_by(FETCH)) == ("s", "s")
    taken.no_portals()
    assert not taken.has_portals
