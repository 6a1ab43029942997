"""Every measurement there is, in the order of the report."""

from __future__ import annotations

from tests.bench.work import Work
from tests.bench.works import (
    absent,
    bulk,
    commands,
    connects,
    cpu,
    detector,
    fairness,
    idle,
    latency,
    memory,
    throughput,
    verdicts,
)

WORKS: tuple[Work, ...] = (
    *latency.WORKS,
    *throughput.WORKS,
    *bulk.WORKS,
    *detector.WORKS,
    *fairness.WORKS,
    *idle.WORKS,
    *cpu.WORKS,
    *connects.WORKS,
    *absent.WORKS,
    *commands.WORKS,
    *verdicts.WORKS,
    *memory.WORKS,
)
