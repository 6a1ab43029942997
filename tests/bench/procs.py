"""What proc(5) says of processes: CPU time, memory, and the cores they may run on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
FORGET_PEAK = "5"
"""Written to clear_refs: the peak of resident memory begins anew (proc(5))."""


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


def parent(pid: int) -> int:
    """The process that started it."""
    return int(_stat(pid)[1])


def family(pid: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                below.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(below.get(one, ()))
    return found


def with_arguments(*arguments: str) -> int:
    """The process with all these among its arguments. Raises LookupError."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                given = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if set(arguments) <= set(given):
                    return int(entry.name)
    raise LookupError(f"no process has {arguments}")


def cpu_seconds(pid: int) -> float:
    """User and system CPU time that a process and those below it have used."""
    ticks = 0
    for one in family(pid):
        with suppress(OSError):
            ticks += sum(map(int, _stat(one)[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """Memory of a process and those below it; what is shared counts by its share (PSS)."""
    return _kilobytes(family(pid), "smaps_rollup", "Pss:") / 1024


def forget_peak(pid: int) -> None:
    """Let `peak_mb` count from now."""
    for one in family(pid):
        (PROC / str(one) / "clear_refs").write_text(FORGET_PEAK)


def peak_mb(pid: int) -> float:
    """The most that a process and those below it had resident since `forget_peak`."""
    return _kilobytes(family(pid), "status", "VmHWM:") / 1024


def _kilobytes(pids: Iterable[int], file: str, field: str) -> int:
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in (PROC / str(pid) / file).read_text().splitlines():
                if line.startswith(field):
                    total += int(line.split()[1])
    return total


@contextmanager
def pinned(pids: Iterable[int]) -> Iterator[None]:
    """Keep these processes, this one and all they start on one core, for a while."""
    tasks = [task for pid in (os.getpid(), *pids) for task in _tasks(pid)]
    before = {task: os.sched_getaffinity(task) for task in tasks}
    core = max(os.sched_getaffinity(0))
    try:
        for task in tasks:
            os.sched_setaffinity(task, {core})
        yield
    finally:
        for task, cores in before.items():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(task, cores)


def _tasks(pid: int) -> list[int]:
    """The threads of a process and of those below it."""
    found = []
    for one in family(pid):
        with suppress(OSError):
            found += [int(task.name) for task in (PROC / str(one) / "task").iterdir()]
    return found
