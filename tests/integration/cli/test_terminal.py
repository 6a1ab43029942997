"""On a terminal: colours and questions; elsewhere, and with NO_COLOR, none."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

from tests.integration.cli.conftest import COMMAND, World

COLOUR = b"\x1b[3"
LIMIT_S = 20.0


class Terminal:
    """A command whose three streams are a terminal."""

    def __init__(self, world: World, *args: str, **env: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [*COMMAND, *args],
            env=world.env(TERM="xterm-256color", COLUMNS="100", **env),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.output = b""

    def read_until(self, text: bytes) -> None:
        """Read until a text stands in the output."""
        deadline = time.monotonic() + LIMIT_S
        while text not in self.output:
            assert self._more(deadline), self.output

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._master, text.encode() + b"\n")

    def end(self) -> tuple[int, bytes]:
        """Wait for the end; give the exit code and everything that was shown."""
        deadline = time.monotonic() + LIMIT_S
        while self._more(deadline):
            pass
        os.close(self._master)
        return self._process.wait(LIMIT_S), self.output

    def _more(self, deadline: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            self._process.kill()
            raise AssertionError(f"nothing more came after {self.output!r}")
        try:
            data = os.read(self._master, 4096)
        except OSError:  # the other side is closed
            return False
        self.output += data
        return bool(data)


def test_a_table_is_drawn_on_a_terminal_and_plain_elsewhere(world: World) -> None:
    code, shown = Terminal(world, "databases").end()
    assert code == 0
    assert "─".encode() in shown
    plain = world.run("databases", FORCE_COLOR="1", CLICOLOR_FORCE="1").stdout
    assert "─" not in plain
    assert "\x1b" not in plain


def test_no_color_is_obeyed(world: World) -> None:
    for args in (["databases"], ["--help"], ["databases", "--help"], ["nosuch"]):
        _, shown = Terminal(world, *args, NO_COLOR="1").end()
        assert COLOUR not in shown


def test_a_person_is_asked_whether_to_request_approval(world: World) -> None:
    terminal = Terminal(world, "exec", "prod-db", "--role", "readwrite", "--", "true")
    terminal.read_until(b"request approval for prod-db and wait? [y/N]")
    terminal.type("y")
    terminal.read_until(b"why do you need prod-db?")
    terminal.type("TICKET-3")
    request = world.broker.await_request()
    assert world.broker.requests[request].reason == "TICKET-3"
    terminal.read_until(f"dbgate approve {request}".encode())
    world.broker.decide(request, "denied")
    code, shown = terminal.end()
    assert code == 5
    assert b"bob: looked at it" in shown


def test_a_person_who_does_not_want_to_is_told_the_hint(world: World) -> None:
    terminal = Terminal(world, "exec", "prod-db", "--role", "readwrite", "--", "true")
    terminal.read_until(b"[y/N]")
    terminal.type("")
    code, shown = terminal.end()
    assert code == 5
    assert b"dbgate request-approval prod-db --role readwrite" in shown
    assert not world.broker.requests


def test_an_approval_is_shown_before_it_is_given(world: World) -> None:
    world.run("request-approval", "prod-db", "--reason", "TICKET-4")
    terminal = Terminal(world, "approve", "r1")
    terminal.read_until(b"approve it? [y/N]")
    assert b"TICKET-4" in terminal.output
    terminal.type("n")
    assert terminal.end()[0] == 2
    assert world.broker.requests["r1"].state == "pending"
    terminal = Terminal(world, "approve", "r1")
    terminal.read_until(b"[y/N]")
    terminal.type("y")
    assert terminal.end()[0] == 0
    assert world.broker.requests["r1"].state == "approved"
