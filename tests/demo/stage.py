"""The demo's stage: runs real commands as real people, shows them, and checks what they did."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

BIN = Path(sys.executable).parent
START_S = 60.0
COMMAND_S = 40.0


class DemoFailed(Exception):
    """A step did not end as the story says."""


class Stage:
    """Developer mode in a temporary home, and one CLI home a person.

    `options` are more of `dbgate dev`'s; they are not shown, for a DSN may hold a password.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._folder = tempfile.TemporaryDirectory(prefix="dbgate-demo-")
        self.home = Path(self._folder.name)
        self.home.chmod(0o755)
        self.ready: dict[str, Any] = {}
        self._dev: subprocess.Popen[bytes] | None = None
        self.steps = 0

    def __enter__(self) -> Self:
        self._log = (self.home / "dev.log").open("wb")
        self.start_dev()
        return self

    def start_dev(self) -> None:
        """Start developer mode, for the first time or again with its data."""
        ready_file = self.home / "ready.json"
        command = [str(BIN / "dbgate"), "dev", "--home", str(self.home / "dev")]
        command += ["--ready-file", str(ready_file)]
        self.show(f"dbgate dev --home {self.home / 'dev'} --ready-file {ready_file} &")
        command += self._options
        self._dev = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + START_S
        while not ready_file.exists():
            if self._dev.poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"dbgate dev did not start:\n{self.dev_log()}")
            time.sleep(0.05)
        self.ready = json.loads(ready_file.read_text())

    def __exit__(self, *exc: object) -> None:
        if self._dev is not None:
            self._dev.terminate()
            try:
                self._dev.wait(15)
            except subprocess.TimeoutExpired:
                self._dev.kill()
        self._log.close()
        self._folder.cleanup()

    def stop(self) -> float:
        """End developer mode as Ctrl-C does; give the seconds it took."""
        assert self._dev is not None
        begun = time.monotonic()
        self._dev.terminate()
        self._dev.wait(15)
        return time.monotonic() - begun

    def dev_log(self) -> str:
        """What developer mode printed so far."""
        return (self.home / "dev.log").read_text(errors="replace")

    def environment(self, person: str, *, token: bool = False) -> dict[str, str]:
        """A person's environment: a CLI home, the broker, and for jobs a token file."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("DBGATE_", "PG"))}
        env |= {
            "PATH": f"{BIN}:{env.get('PATH', '/usr/bin:/bin')}",
            "DBGATE_HOME": str(self.home / f"cli-{person}"),
            "DBGATE_BROKER": self.ready["broker"],
            "DBGATE_CA_FILE": self.ready["ca_file"],
        }
        if token:
            env["DBGATE_ID_TOKEN_FILE"] = self.ready["identities"][person]["id_token_file"]
        return env

    @staticmethod
    def show(command: str) -> None:
        """Print a command as its user would have typed it."""
        print(
            f"\n\033[1m$ {command}\033[0m" if sys.stdout.isatty() else f"\n$ {command}", flush=True
        )

    def scene(self, text: str) -> None:
        """Print what happens next."""
        print(f"\n--- {text}", flush=True)

    def start(
        self, person: str, args: Sequence[str], *, token: bool = False
    ) -> subprocess.Popen[str]:
        """Start a command that goes on in the background."""
        self.show(f"{shlex.join(args)} &      # {person}")
        return subprocess.Popen(
            [str(BIN / args[0]), *args[1:]],
            env=self.environment(person, token=token),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(
        self, process: subprocess.Popen[str], *, code: int = 0, has: Sequence[str] = ()
    ) -> str:
        """Wait for a started command, show its output, and check it."""
        out, err = process.communicate(timeout=COMMAND_S)
        return self._check(process.args, process.returncode, out, err, code, has, ())

    def run(
        self,
        person: str,
        args: Sequence[str],
        *,
        code: int = 0,
        has: Sequence[str] = (),
        lacks: Sequence[str] = (),
        token: bool = False,
        quiet: bool = False,
    ) -> str:
        """Run a command as a person; check its exit code and output; give its standard output."""
        self.show(f"{shlex.join(args)}      # {person}")
        done = subprocess.run(
            [str(BIN / args[0]), *args[1:]],
            env=self.environment(person, token=token),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        return self._check(
            args, done.returncode, done.stdout, done.stderr, code, has, lacks, quiet=quiet
        )

    def _check(
        self,
        args: Any,
        got: int,
        out: str,
        err: str,
        code: int,
        has: Sequence[str],
        lacks: Sequence[str],
        *,
        quiet: bool = False,
    ) -> str:
        both = out + err
        if not quiet:
            print(both.rstrip(), flush=True)
        if got != code:
            raise DemoFailed(
                f"{args}: exit code {got}, expected {code}\n{both}\n{self.dev_log()[-2000:]}"
            )
        for text in has:
            if text not in both:
                raise DemoFailed(f"{args}: {text!r} is missing in\n{both}")
        for text in lacks:
            if text in both:
                raise DemoFailed(f"{args}: {text!r} must not be in\n{both}")
        self.steps += 1
        return out

    def superuser(self, database: str, query: str) -> list[Any]:
        """Ask the governed PostgreSQL itself, past dbgate: the first column of each row."""
        import psycopg

        with psycopg.connect(self.ready["postgres"][database], connect_timeout=5) as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    def expect(self, truth: bool, what: str) -> None:
        """Check a fact; say it."""
        if not truth:
            raise DemoFailed(f"not so: {what}")
        print(f"    checked: {what}", flush=True)
        self.steps += 1


def parse(text: str) -> Mapping[str, Any]:
    """The one JSON object of a `--json` answer."""
    value: Mapping[str, Any] = json.loads(text)
    return value
