"""The JDBC driver reads masked values of every type in every mode that it has, and nothing else of them.

It needs a JDK and the driver: Debian's `default-jdk-headless` and `libpostgresql-jdbc-java`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.demo.stage import Stage
from tests.e2e.tunnel import tunnel

DRIVER = Path("/usr/share/java/postgresql.jar")
HERE = shutil.which("java") is not None and DRIVER.exists()
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not HERE, reason=f"java, or {DRIVER}, is not installed"),
]
PROGRAM = Path(__file__).parent / "jdbc" / "Masked.java"
LIMIT_S = 180.0
SCHEMA = """
create type jdbc_place as (street text, email text);
create table jdbc_people (id int primary key, email text, phone varchar(30), birth_date date, born_at timestamptz,
  card_number numeric, mobile bigint, api_key uuid, last_ip inet, billing_address jsonb, emails text[],
  phone_numbers bigint[], birth_dates date[], password bytea, home_address jdbc_place, national_id int4range,
  secret xml, session_token json, city text, score float8, active boolean);
insert into jdbc_people values
  (1, 'ada.lovelace@example.com', '+44 20 7946 0958', '1815-12-10', '1815-12-10 10:00+00', 4539578763621486,
   442079460958, '6ba7b810-9dad-11d1-80b4-00c04fd430c8', '203.0.113.77', '{"street": "Saint James 1"}',
   array['ada.lovelace@example.com'], array[442079460958], array['1815-12-10'::date], '\\x616461', row('Saint James 1', 'ada.lovelace@example.com'),
   '[1234567,1234568)', '<a>ada.lovelace</a>', '{"t": "ada.lovelace"}', 'London', 1.5, true),
  (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 'Paris', 2.5, false);
grant select on jdbc_people to public;
"""
SHOWN = (
    "ada.lovelace",
    "4539578763621486",
    "442079460958",
    "6ba7b810",
    "203.0.113.77",
    "Saint James",
    "616461",
    "1234567",
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One of its own: the table is there before its broker first looks at the database."""
    with Stage() as running:
        with psycopg.connect(running.ready["postgres"]["prod-db"]) as connection:
            connection.execute(SCHEMA.encode())
        yield running


def test_the_driver_reads_masked_values(stage: Stage) -> None:
    with tunnel(stage, "alice", "prod-db") as opened:
        env = opened.env
        url = f"jdbc:postgresql://{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}"
        given = [url, env["PGUSER"], env["PGPASSWORD"]]
        done = subprocess.run(
            ["java", "-cp", str(DRIVER), str(PROGRAM), *given],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert not [value for value in SHOWN if value in done.stdout]
    said = defaultdict(set)
    for line in done.stdout.splitlines():
        name, _, value = line.partition("\t")
        said[name].add(value)
    for mode in ("simple", "extended", "extendedForPrepared", "extendedCacheEverything"):
        for threshold in (-1, 1, 5):
            how = f"{mode}{threshold}"
            assert said[f"{how}.city"] == {"London", "Paris"}
            assert said[f"{how}.score"] == {"1.5", "2.5"}
            (address,) = said[f"{how}.email"] - {"null"}
            assert address.startswith("a***")
            assert len(said[f"{how}.birth_date"]) == 2
    assert said["error"] == {"22012"}
    assert said["timeout"] == {"57014"}
    assert (said["tables"], said["columns"], said["keys"]) == ({"true"}, {"text"}, {"id"})
    assert said["after"] == {"true"}
