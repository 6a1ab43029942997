"""Developer mode as a process of its own, with a fake broker, as the tests start and kill it.

Run as a program it is that process: `python running.py HOME READY_FILE [NAME=DSN ...]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_S = 60.0
BROKER = "DBGATE_TEST_BROKER"
SERVER = "DBGATE_TEST_SERVER"  # "wheel" or "copy": as if the system had no PostgreSQL
FAKE_BROKER = Path(__file__).with_name("fake_broker.py")


def main() -> int:
    from dbgate_broker.dev import binaries, broker_child
    from dbgate_broker.dev.run import DevOptions, run
    from dbgate_core.errors import DbgateError

    home, ready, *databases = sys.argv[1:]

    def command(home: Any) -> list[str]:
        return [sys.executable, os.environ[BROKER], "--config", str(home.configuration)]

    broker_child.command = command
    if server := os.environ.get(SERVER):
        binaries.SYSTEM = Path("/nonexistent")  # type: ignore[misc]
        os.environ["PATH"] = "/nonexistent"
        if server == "copy":
            setattr(binaries, "reaches", lambda account, path: False)  # noqa: B010
    pairs = [(name, dsn) for name, _, dsn in (text.partition("=") for text in databases)]
    options = DevOptions(Path(home), pairs, Path(ready), policy="permissive")
    try:
        return asyncio.run(run(options))
    except DbgateError as exc:
        print(f"error: {exc.message}\nhint: {exc.hint}", file=sys.stderr)
        return exc.exit_code


def until(holds: Callable[[], bool], what: str, limit_s: float = START_S) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s: {what}"
        time.sleep(0.02)


class Dev:
    """A developer mode under test."""

    def __init__(
        self, folder: Path, *databases: str, broker: str = str(FAKE_BROKER), server: str = ""
    ) -> None:
        self.home = folder / "dev"
        self.ready_file = folder / "ready.json"
        self._output = folder / "output"
        self._begun = time.time_ns()
        argv = [sys.executable, __file__, str(self.home), str(self.ready_file), *databases]
        with self._output.open("ab") as output:
            env = os.environ | {BROKER: broker, SERVER: server}
            self.process = subprocess.Popen(argv, stdout=output, stderr=output, env=env)

    def output(self) -> str:
        return self._output.read_text(errors="replace")

    def wait_ready(self) -> dict[str, Any]:
        def ready() -> bool:
            assert self.process.poll() is None, self.output()
            return self.ready_file.exists() and self.ready_file.stat().st_mtime_ns > self._begun

        until(ready, "ready")
        return dict(json.loads(self.ready_file.read_bytes()))

    def configuration(self) -> dict[str, Any]:
        return tomllib.loads((self.home / "broker.toml").read_text())

    def pid(self, name: str) -> int:
        return int((self.home / "run" / f"{name}.pid").read_text().split()[0])

    def children(self) -> list[int]:
        """Processes that name this home, without developer mode itself."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != self.process.pid:
                try:
                    argv = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.home).encode() in argv:
                    found.append(int(folder.name))
        return found

    def end(self, number: int = signal.SIGTERM) -> float:
        """End it, wait; the seconds it took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
            raise
        return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
