"""A tunnel held open for a test: `dbgate connect --no-client --json` of a person."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.paths import url_environment
from tests.demo.stage import BIN, Stage

CLOSE_S = 20.0


@dataclass(frozen=True)
class Tunnel:
    """An open tunnel: what its ready event said, and the process behind it."""

    event: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def dsn(self) -> str:
        """The URL that clients use."""
        return str(self.event["dsn"])

    @property
    def env(self) -> dict[str, str]:
        """The libpq environment that clients use."""
        return url_environment(self.dsn)

    def psql(
        self, *commands: str, options: Sequence[str] = ("-XAtq",), stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run psql through the tunnel."""
        argv = ["psql", *options]
        for command in commands:
            argv += ["-c", command]
        return subprocess.run(
            argv,
            env=self.env,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def tunnel(stage: Stage, person: str, database: str, *options: str) -> Iterator[Tunnel]:
    """Open a tunnel with the person's token file; close it after, and demand a clean end."""
    process = subprocess.Popen(
        [str(BIN / "dbgate"), "connect", database, "--no-client", "--json", *options],
        env=stage.environment(person, token=True),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        process.wait(CLOSE_S)
        raise AssertionError(f"no tunnel: exit {process.returncode}: {process.stderr.read()}")
    try:
        yield Tunnel(json.loads(line), process)
    finally:
        process.terminate()
        process.communicate(timeout=CLOSE_S)
