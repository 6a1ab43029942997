"""Child processes: started with a log, ended in time, and found again after a crash.

Three nets keep a child from outliving developer mode:

1. it is ended, in order, when developer mode ends;
2. the kernel signals it when developer mode dies (PR_SET_PDEATHSIG, set before its exec);
3. its process id and start time stand in a file, by which the next start finds and ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from dbgate_broker.dev import files
from dbgate_broker.dev.accounts import Account
from dbgate_broker.dev.console import say
from dbgate_broker.dev.home import Home
from dbgate_core.errors import Unreachable

TAIL_LINES: Final = 12
MAX_LOG_BYTES: Final = 32 * 1024 * 1024
"""A log that has grown past it is put aside, once, at the next start."""
KEPT: Final = ("PATH", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
"""What children see of the environment. Nothing of PG*, VAULT_* or DBGATE_* steers them."""

# Runs in the child, as whoever we are: drops to the account, asks for the signal, becomes the
# program. The parent may have died before the signal was asked for: then it is not ours any more.
_LAUNCH: Final = """\
import ctypes, os, sys
parent, number, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
os.umask(0o077)
ctypes.CDLL(None).prctl(1, number, 0, 0, 0)
if os.getppid() != parent:
    sys.exit("dbgate dev is gone")
os.execv(sys.argv[5], sys.argv[5:])
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `stop_signal` asks it to end; the kernel sends it too when we die."""

    name: str
    argv: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    folder: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running program."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, home: Home) -> None:
        self.program = program
        self.process = process
        self._home = home

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative for a signal."""
        return await self.process.wait()

    def failure(self, what: str = "") -> Unreachable:
        """The error that says that it ended or failed; the end of its log is said at once."""
        log = self._home.log(self.program.name)
        for line in tail(log):
            say(f"  {self.program.name}: {line}")
        what = what or f"{self.program.name} ended ({ending(self.process.returncode)})"
        return Unreachable(what, hint=f"its whole log: {log}")

    async def stop(self, grace_s: float) -> None:
        """Ask it to end; end it after `grace_s`. Afterwards it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self.running:
                self.process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self.process.wait(), grace_s)
        except TimeoutError:
            say(f"{self.program.name} did not end in {grace_s:.1f} s and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
        self._home.pid_file(self.program.name).unlink(missing_ok=True)


class Children:
    """All children of a home: whatever is started is in `all`, and is ended by `stop`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.all: list[Child] = []

    async def start(self, program: Program) -> Child:
        """Start a program in a process group of its own, its output going to its log."""
        with self._log(program.name) as output:
            process = await asyncio.create_subprocess_exec(
                *_launch(program),
                *program.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=program.folder or self.home.root,
                env={"PATH": os.defpath, **_environment(), **program.env},
                start_new_session=True,
            )
        child = Child(program, process, self.home)
        self.all = [one for one in self.all if one.running] + [child]
        mark = f"{process.pid} {started_at(process.pid)}\n"
        files.write(self.home.pid_file(program.name), mark.encode())
        return child

    async def run(self, program: Program, limit_s: float) -> None:
        """Run a program to its end. Raises Unreachable when it fails or takes too long."""
        child = await self.start(program)
        try:
            code = await asyncio.wait_for(child.wait(), limit_s)
        except TimeoutError as exc:
            raise child.failure(f"{program.name} took over {limit_s:.0f} s") from exc
        finally:
            await child.stop(1.0)
        if code:
            raise child.failure()

    async def stop(self, grace_s: float) -> None:
        """End all that still run, at once."""
        await asyncio.gather(*(child.stop(grace_s) for child in self.all))

    def _log(self, name: str) -> BinaryIO:
        log = self.home.log(name)
        if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".1.log"))
        return log.open("ab")


def _launch(program: Program) -> list[str]:
    account = program.account or Account(-1, -1)
    launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid())]
    return [*launch, str(int(program.stop_signal)), str(account.uid), str(account.gid)]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


async def until(what: str, holds: Callable[[], bool], child: Child, limit_s: float) -> None:
    """Ask `holds` in a thread until it is true.

    Raises Unreachable when the child ends meanwhile, or at the limit.
    """
    deadline = time.monotonic() + limit_s
    while not await asyncio.to_thread(holds):
        if not child.running:
            raise child.failure()
        if time.monotonic() > deadline:
            raise child.failure(f"{what} does not answer after {limit_s:.0f} s")
        await asyncio.sleep(0.02)


def tail(log: Path) -> list[str]:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ["(no log)"]
    return lines[-TAIL_LINES:]


def ending(code: int | None) -> str:
    """An exit code in words."""
    if code is None:
        return "still running"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def started_at(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is no such process.

    Field 22 of proc(5)'s stat, counted after the command's name, which may hold anything. A
    process that has ended and was not waited for counts as none.
    """
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if state in "ZX" else int(rest[18])


def end_leftovers(home: Home, grace_s: float = 3.0) -> list[str]:
    """End what an earlier developer mode of this home left running; give the names of it."""
    ended = []
    for file in sorted((home.root / "run").glob("*.pid")):
        try:
            pid, start_time = map(int, file.read_text().split())
        except (OSError, ValueError):
            pid = start_time = 0
        if pid > 1 and start_time and started_at(pid) == start_time:
            _end(pid, start_time, grace_s)
            ended.append(file.stem)
        file.unlink(missing_ok=True)
    return ended


def _end(pid: int, start_time: int, grace_s: float) -> None:
    """SIGINT (PostgreSQL's fast shutdown), then SIGKILL for its group."""
    for number, wait_s in ((signal.SIGINT, grace_s), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        deadline = time.monotonic() + wait_s
        while started_at(pid) == start_time:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        else:
            return
