"""Where the corpus runs: the two databases of the differential place, and a policy that permits all but `unmask`.

Nothing but masking stands between the client and the values: what the shipped policies would refuse
for other reasons is tried here, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.differential.place import Place, place
from tests.integration.gateway.world import World
from tests.leaks.corpus import FOLDER, statements
from tests.leaks.people import Population
from tests.leaks.traces import Traces

SEED: Final = 11
MASKED: Final = '@id("masked") forbid (principal, action == Action::"unmask", resource);'
_OWNED: Final = ("people", "older", "clients", "products")
_LAST: Final = (
    "refresh materialized view snapshot",
    "analyze",
    "grant select, insert, update, delete, trigger on all tables in schema public to ephemeral",
    *(f"alter table {name} owner to ephemeral" for name in _OWNED),
    "alter statistics on_people owner to ephemeral",
    "grant create on schema public to ephemeral",
)
_QUIET_SERVER: Final = ("alter system set autovacuum = off", "select pg_reload_conf()")


def prepared(seed: int = SEED) -> tuple[tuple[str, ...], Traces]:
    """The statements that make the database, and what must never come out of it."""
    population = Population(seed)
    schema = statements((FOLDER / "schema.sql").read_text())
    return (*_QUIET_SERVER, *schema, *population.sql, *_LAST), Traces(population.cores)


@contextmanager
def leaks_place() -> Iterator[tuple[Place, World, Traces]]:
    """A server with the corpus' data, and a gateway that masks before one of its databases."""
    sql, traces = prepared()
    with place(sql, rules=MASKED) as it, it.gateway() as world:
        yield it, world, traces
