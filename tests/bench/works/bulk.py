"""Large results: rows a second, unmasked beside haproxy, masked beside direct."""

from __future__ import annotations

import time

from tests.bench import tables
from tests.bench.peers import BOUNCER, HAPROXY
from tests.bench.stack import CLEAR, DBGATE, DIRECT, DIRECT_TLS, READING, Bench
from tests.bench.wire import Client, Read
from tests.bench.work import Figures, Goal, Line, Taken, Work, median, ratio

OF_HAPROXY = Goal(0.9, at_least=True)
MASKED = Goal(0.55, at_least=True)
SCANNED = Goal(0.5, at_least=True)
KEPT, KEPT_MASKED = Goal(0.8, at_least=True), Goal(0.6, at_least=True)
ROUTES = (DIRECT, DIRECT_TLS, BOUNCER, HAPROXY, DBGATE)


def read(bench: Bench, subject: str, text: str) -> Read:
    """One result, whole. Raises AssertionError when it is not all there."""
    client = Client(bench.route(subject))
    try:
        client.ask(text)
        result = client.drain()
    finally:
        client.close()
    assert result.rows == bench.effort.wide_rows, f"{subject}: {result.rows} rows"
    return result


def timed(bench: Bench, subject: str, text: str) -> Figures:
    """Rows and megabytes a second of a whole result."""
    bench.route(subject)
    begun = time.perf_counter()
    result = read(bench, subject, text)
    took = time.perf_counter() - begun
    return {"rows_per_s": result.rows / took, "mb_per_s": result.bytes / took / 1e6}


def _clean(kind: str, text: str) -> Work:
    def take(bench: Bench, subject: str) -> Figures:
        return timed(bench, subject, text.format(bench.wide(tables.WIDE)))

    def lines(taken: Taken) -> list[Line]:
        what = f"{kind} of 1 M rows x 10 columns, nothing masked: rows/s / {HAPROXY}"
        beside = {name: median(taken, name, "rows_per_s") for name in ROUTES}
        figure = ratio(taken, DBGATE, HAPROXY, "rows_per_s")
        return [Line(what, figure, "x", OF_HAPROXY, beside)]

    return Work(f"bulk-{kind.lower()}", ROUTES, take, lines)


def take_masked(bench: Bench, subject: str) -> Figures:
    """The table with two protected columns; dbgate's reader must not see what is in them."""
    table = bench.wide(tables.PEOPLE)
    if subject == DBGATE:
        _demand_masks(bench, table)
    return timed(bench, subject, f"select * from {table}")


def _demand_masks(bench: Bench, table: str) -> None:
    client = Client(bench.route(DBGATE))
    try:
        client.ask(f"select * from {table} limit 1")
        seen = client.answer()
    finally:
        client.close()
    assert b"value 1" in seen, "the row is not there"
    assert b"person.0" not in seen, "the column is not masked"


def masked(taken: Taken) -> list[Line]:
    """Beside direct: what reading costs when values are replaced on the way."""
    beside = {name: median(taken, name, "rows_per_s") for name in (DIRECT, DIRECT_TLS, DBGATE)}
    what = "the same SELECT, 2 of 10 columns masked: rows/s / direct"
    return [Line(what, ratio(taken, DBGATE, DIRECT, "rows_per_s"), "x", MASKED, beside)]


def take_beside(bench: Bench, subject: str) -> Figures:
    """Both tables, with masks in force and without."""
    clean = f"select * from {bench.wide(tables.WIDE)}"
    masked = f"select * from {bench.wide(tables.PEOPLE)}"
    return {
        "clean": timed(bench, subject, clean)["rows_per_s"],
        "masked": timed(bench, subject, masked)["rows_per_s"],
    }


def beside(taken: Taken) -> list[Line]:
    """What masking itself costs on the same way."""
    what = "rows/s / the same path without masking"
    found = [("nothing masked", "clean", KEPT), ("2 of 10 columns masked", "masked", KEPT_MASKED)]
    return [
        Line(f"SELECT, {how}: {what}", ratio(taken, DBGATE, CLEAR, name), "x", goal)
        for how, name, goal in found
    ]


def take_scanned(bench: Bench, subject: str) -> Figures:
    """The table in which nothing is protected; what stands within a text must be found."""
    table = bench.wide(tables.WIDE)
    if subject == READING:
        _demand_reading(bench)
    return timed(bench, subject, f"select * from {table}")


def _demand_reading(bench: Bench) -> None:
    client = Client(bench.route(READING))
    try:
        client.ask("select 'to ada.lovelace@example.com'")
        assert b"ada.lovelace" not in client.answer(), "texts are not read"
    finally:
        client.close()


def scanned(taken: Taken) -> list[Line]:
    """Beside direct: what looking into every value costs where nothing is found."""
    beside = {name: median(taken, name, "rows_per_s") for name in (DIRECT, DIRECT_TLS, READING)}
    what = "the same SELECT, content scan of all ten columns: rows/s / direct"
    return [Line(what, ratio(taken, READING, DIRECT, "rows_per_s"), "x", SCANNED, beside)]


WORKS = (
    _clean("COPY", "copy {} to stdout"),
    _clean("SELECT", "select * from {}"),
    Work("bulk-masked", (DIRECT, DIRECT_TLS, DBGATE), take_masked, masked, rounds=3),
    Work("bulk-beside", (DBGATE, CLEAR), take_beside, beside, rounds=3),
    Work("bulk-scanned", (DIRECT, DIRECT_TLS, READING), take_scanned, scanned, rounds=3),
)
