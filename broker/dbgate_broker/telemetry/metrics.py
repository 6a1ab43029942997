"""The broker's figures at one moment, in Prometheus' text format (or OpenMetrics, when asked for).

Everything is gathered when somebody asks: what is counted is read, what can be looked up is looked
up. A store that does not answer leaves its metrics out; `dbgate_ready` says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dbgate_broker.sessions.live import LiveSession
from dbgate_broker.store import figures
from dbgate_broker.store.engine import Store
from dbgate_broker.telemetry.families import counter, gauge, of_statements, of_the_rest
from dbgate_broker.telemetry.readiness import Readiness, free_bytes
from dbgate_broker.telemetry.tally import Tallies
from dbgate_core.errors import DbgateError


class LogSizes(Protocol):
    """`audit.log.AuditLog`: how many entries are in which state, and how many could not be written."""

    failures: int

    @property
    def written(self) -> int:
        """They survive the process."""

    @property
    def durable(self) -> int:
        """They survive a power failure."""

    @property
    def sealed(self) -> int:
        """They are under a signed checkpoint."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from."""

    version: str
    policy: Callable[[], str]
    tallies: Tallies
    sessions: Callable[[], Iterable[LiveSession]]
    gateway: Callable[[], tuple[int, int]]
    catalogs: Callable[[], dict[tuple[str, str], int]]
    log: LogSizes
    log_folder: Path
    store: Store
    readiness: Readiness


class Metrics:
    """Answers a scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._process = ProcessCollector(registry=CollectorRegistry())

    async def render(self, accept: str) -> tuple[bytes, str]:
        """The text and its media type, as the Accept header wants it."""
        of_the_moment = [*self._of_the_broker(), *await self._looked_up()]
        encode, media = choose_encoder(accept)
        return await asyncio.to_thread(self._encoded, encode, of_the_moment), media

    def _encoded(
        self, encode: Callable[[CollectorRegistry], bytes], families: Sequence[Metric]
    ) -> bytes:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Gathered(families))
        registry.register(self._process)
        return encode(registry)

    def _of_the_broker(self) -> Iterator[Metric]:
        """What this process knows without asking anybody; in the loop's thread."""
        its = self._sources
        yield gauge("dbgate_build_info", [((its.version, its.policy()), 1)])
        yield from of_statements(its.tallies)
        yield from of_the_rest(its.tallies)
        sessions: Counter[tuple[str, ...]] = Counter()
        connections: Counter[tuple[str, ...]] = Counter()
        for live in its.sessions():
            key = (live.database.name, live.database.environment, live.row.access_role)
            sessions[key] += 1
            connections[key] += live.connections
        yield gauge("dbgate_sessions", sessions.items())
        yield gauge("dbgate_connections", connections.items())
        here, limit = its.gateway()
        yield gauge("dbgate_gateway_connections", [((), here)])
        yield gauge("dbgate_gateway_connections_limit", [((), limit)])
        yield counter("dbgate_catalog_readings", its.catalogs().items())
        yield from self._of_the_log()

    def _of_the_log(self) -> Iterator[Metric]:
        log = self._sources.log
        sealed, durable = log.sealed, log.durable  # before `written`, or a backlog may be negative
        written = log.written
        yield counter("dbgate_audit_entries", [((), written)])
        yield counter("dbgate_audit_append_failures", [((), log.failures)])
        backlog = [(("durable",), written - durable), (("sealed",), written - sealed)]
        yield gauge("dbgate_audit_backlog_entries", backlog)

    async def _looked_up(self) -> list[Metric]:
        """What the disk, the store and the readiness checks say."""
        its = self._sources
        ready = await its.readiness.look()
        families = [gauge("dbgate_ready", [((name,), ok) for name, ok in ready.items()])]
        try:
            free = await asyncio.to_thread(free_bytes, its.log_folder)
            families.append(gauge("dbgate_audit_disk_free_bytes", [((), free)]))
            found = await its.store.call(figures.now)
        except (DbgateError, OSError):
            return families
        families.append(gauge("dbgate_leases", [((s.value,), n) for s, n in found.leases.items()]))
        families.append(gauge("dbgate_leases_overdue", [((), found.overdue)]))
        families.append(gauge("dbgate_requests_pending", [((), found.pending)]))
        return families


class _Gathered(Collector):
    """Families that are there already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
