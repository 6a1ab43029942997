"""A crowd of pgbench clients through one tunnel, some of which die without a word."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from dataclasses import dataclass, field

from tests.bench.paths import Route

CLIENTS = 16
KILL_EVERY_S = 0.5


@dataclass
class Crowd:
    """Sixteen pgbench processes of one client each; a dead one is replaced."""

    route: Route
    random: random.Random
    members: list[subprocess.Popen[str]] = field(default_factory=list)
    started: int = 0
    killed: int = 0
    failures: list[str] = field(default_factory=list)

    def fill(self) -> None:
        """Start clients until there are sixteen; note those that ended badly by themselves."""
        alive = []
        for member in self.members:
            if member.poll() is None:
                alive.append(member)
            elif member.returncode not in (0, -signal.SIGKILL):
                assert member.stderr is not None
                self.failures.append(member.stderr.read().strip()[-300:])
        self.members = alive
        while len(self.members) < CLIENTS:
            mode = self.random.choice(("simple", "extended", "prepared"))
            self.members.append(
                subprocess.Popen(
                    ["pgbench", "-n", "-S", "-M", mode, "-c", "1", "-T", "20"],
                    env=self.route.env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            self.started += 1

    def run(self, seconds: float) -> None:
        """Keep the crowd full for so long, killing one of them every half second."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.fill()
            time.sleep(KILL_EVERY_S)
            self.random.choice(self.members).kill()
            self.killed += 1

    def end(self) -> None:
        """Kill them all."""
        for member in self.members:
            member.kill()
            member.wait()
        self.members.clear()
