"""The masked result beside a detector that looks at each value: presidio-analyzer, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from tests.bench import tables
from tests.bench.stack import DBGATE, DIRECT_TLS, READING, Bench
from tests.bench.wire import Client
from tests.bench.work import Figures, Goal, Line, Taken, Work, median, ratio
from tests.bench.works.bulk import take_masked, take_scanned

PRESIDIO = "presidio"
PACKAGE = "presidio-analyzer"
PLACE = Path(sys.prefix) / "presidio"
SCRIPT = Path(__file__).parents[1] / "presidio_rows.py"
ROWS = 300
"""A second or two of its work; what it does in one second is compared."""
INSTALL_S = 300
FASTER = Goal(1, at_least=True)


def python() -> Path:
    """The interpreter that has the package, made when it is missing. Raises OSError or SubprocessError."""
    found = PLACE / "bin" / "python"
    if not (PLACE / "whole").exists():
        venv.create(PLACE, with_pip=True, clear=True)
        pip = [str(found), "-m", "pip", "install", "--quiet", PACKAGE]
        subprocess.run(pip, check=True, capture_output=True, timeout=INSTALL_S)
        (PLACE / "whole").touch()
    return found


def take(bench: Bench, subject: str) -> Figures:
    """Rows a second."""
    if subject == DBGATE:
        return take_masked(bench, subject)
    if subject == READING:
        return take_scanned(bench, subject)
    try:
        interpreter = python()
    except (OSError, subprocess.SubprocessError):
        return {}
    done = subprocess.run(
        [str(interpreter), str(SCRIPT)],
        input=json.dumps(_rows(bench)),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["changed"] >= found["rows"], "it found less than an address a row"
    return {"rows_per_s": found["rows"] / found["seconds"]}


def _rows(bench: Bench) -> list[list[str]]:
    """The first rows of the masked table, as the server has them."""
    client = Client(bench.route(DIRECT_TLS))
    try:
        client.ask(f"select row_to_json(p) from {bench.wide(tables.PEOPLE)} p limit {ROWS}")
        answer = client.answer()
    finally:
        client.close()
    decoder, text, rows = json.JSONDecoder(), answer.decode("latin-1"), []
    at = text.find('{"c1"')
    while at >= 0:
        row, end = decoder.raw_decode(text, at)
        rows.append(list(row.values()))
        at = text.find('{"c1"', end)
    assert len(rows) == ROWS
    return rows


def lines(taken: Taken) -> list[Line]:
    """How many times as fast, with columns that are known and with every text read."""
    ways = ((DBGATE, "2 of 10 columns masked"), (READING, "content scan of all ten columns"))
    if not taken.get(PRESIDIO) or not taken[PRESIDIO][0]:
        why = f"{PACKAGE} cannot be installed here"
        return [Line(_what(how), None, "x", FASTER, note=why) for _, how in ways]
    slow = {PRESIDIO: median(taken, PRESIDIO, "rows_per_s")}
    return [
        Line(_what(how), ratio(taken, way, PRESIDIO, "rows_per_s"), "x", FASTER, slow)
        for way, how in ways
    ]


def _what(how: str) -> str:
    return f"SELECT, {how}: rows/s / a detector per value ({PACKAGE}, patterns alone)"


WORKS = (Work("detector", (DBGATE, READING, PRESIDIO), take, lines, rounds=1),)
