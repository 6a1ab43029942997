"""The tables that are read, made past dbgate as PostgreSQL's superuser."""

from __future__ import annotations

import subprocess

from tests.bench.paths import Route

SCALE = 10
"""Of pgbench: a million accounts."""
WIDE = "bench_wide"
"""Ten columns of text, none with a name or content that is protected: about 235 bytes a row."""
PEOPLE = "bench_people"
"""The same, but that two of the ten columns are `email` and `card_number`, which are masked."""


def prepare(superuser: Route) -> None:
    """pgbench's tables."""
    subprocess.run(
        ["pgbench", "-i", "-q", "-s", str(SCALE)],
        env=superuser.env,
        check=True,
        capture_output=True,
    )
    _run(superuser, "grant select on pgbench_accounts to public")


def prepare_wide(superuser: Route, rows: int) -> None:
    """The two wide tables."""
    _make(superuser, WIDE, rows, ("md5((i+1)::text)", "c2"), ("lpad(i::text, 16, '7')", "c7"))
    _make(
        superuser,
        PEOPLE,
        rows,
        ("'person.' || lpad(i::text, 13, '0') || '@example.com'", "email"),
        ("lpad(i::text, 16, '4')", "card_number"),
    )


def _make(
    superuser: Route, name: str, rows: int, second: tuple[str, str], seventh: tuple[str, str]
) -> None:
    _run(
        superuser,
        f"drop table if exists {name}",
        f"create table {name} as select md5(i::text) c1, {second[0]} {second[1]},"
        " md5((i+2)::text) c3, md5((i+3)::text) c4, md5((i+4)::text) c5, i::text c6,"
        f" {seventh[0]} {seventh[1]}, (i%100)::text c8, 'x'::text c9, 'value ' || i c10"
        f" from generate_series(1, {rows}) i",
        f"grant select on {name} to public",
        f"vacuum analyze {name}",
    )


def _run(superuser: Route, *statements: str) -> None:
    for statement in statements:
        subprocess.run(
            ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env=superuser.env,
            check=True,
            capture_output=True,
        )
