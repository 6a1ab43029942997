"""What the main thread does while a tunnel is open: stay, or run a child and pass signals on.

Everything that can happen comes through one queue, in order. SimpleQueue is the one that a signal
handler may put into.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dbgate_cli import console
from dbgate_cli.running import Live
from dbgate_cli.signals import ENDING
from dbgate_core.errors import DbgateError

GRACE_S: Final = 10.0
"""How long a child may take to end after a SIGTERM or SIGHUP that was passed to it."""
KEYBOARD: Final = (signal.SIGINT, signal.SIGQUIT)
SLICE_S: Final = 1.0
"""A wait is cut in slices: a signal in the instant before Python's wait does not end the wait."""


def stay(live: Live) -> int:
    """Until a signal ends it, which is a good end, or the session is over, which is not."""
    with handled((*ENDING, signal.SIGINT), live.events.put):
        while (event := _next(live)) is None:
            pass
    if isinstance(event, signal.Signals):
        return 0
    raise event


def run_child(live: Live, argv: Sequence[str]) -> int:
    """Run a program with the session in its environment; give its exit code (128+n for signal n).

    A terminal's Ctrl-C reaches the child by itself: psql cancels its statement, and dbgate goes
    on. Signals that were sent to dbgate alone are passed on; SIGTERM and SIGHUP also end a child
    that does not end within GRACE_S. That the session is over is said when the child has ended.
    """
    # Handlers first: a handled signal has its default again in the child, an ignored one stays so.
    with handled((*ENDING, *KEYBOARD, signal.SIGCHLD), live.events.put):
        child = subprocess.Popen(argv, env=live.endpoint.environment(os.environ))
        code = _ended(child, live)
    return 128 - code if code < 0 else code


def _ended(child: subprocess.Popen[bytes], live: Live) -> int:
    deadline: float | None = None
    over = ""
    while (code := child.poll()) is None:
        event = _next(live)
        if deadline is not None and time.monotonic() >= deadline:
            child.kill()
            deadline = None
        if isinstance(event, DbgateError):
            over = event.message
        elif event is not None and event is not signal.SIGCHLD:
            _pass_on(child, event)
            if event in ENDING and deadline is None:
                deadline = time.monotonic() + GRACE_S
    if over:
        console.note(over)
    return code


def _next(live: Live) -> signal.Signals | DbgateError | None:
    """What happened; None when it was nothing for SLICE_S."""
    try:
        return live.events.get(timeout=SLICE_S)
    except queue.Empty:
        return None


def _pass_on(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if not (number in KEYBOARD and terminal_delivers()):
        child.send_signal(number)


def terminal_delivers() -> bool:
    """Whether we are in the foreground of a terminal, whose Ctrl-C our child gets by itself."""
    try:
        handle = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(handle)


@contextlib.contextmanager
def handled(
    numbers: Sequence[signal.Signals], call: Callable[[signal.Signals], None]
) -> Iterator[None]:
    """Have signals handled by a call for a while."""
    previous = {
        number: signal.signal(number, lambda number, _: call(signal.Signals(number)))
        for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
