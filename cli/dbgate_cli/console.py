"""What goes to people on standard error, and how text from elsewhere is made safe to show."""

from __future__ import annotations

import sys
from typing import Final

PREFIX: Final = "dbgate:"


def clean(text: str) -> str:
    r"""Show control characters as escapes, so that no text from elsewhere drives the terminal.

    A request's reason is written by one person and read by another, who decides: `\x1b[2K` in it
    must be seen. Newlines and tabs become escapes too: a cell of a table is one line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def note(text: str) -> None:
    """Say something on standard error."""
    print(f"{PREFIX} {clean(text)}", file=sys.stderr, flush=True)


def failure(message: str, hint: str = "") -> None:
    """Say what is wrong, and the next move."""
    note(f"error: {message}")
    if hint:
        note(f"hint: {hint}")


def interactive() -> bool:
    """Whether there is a person to ask: standard input and standard error are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask on standard error, read one line. An end of input is an empty answer."""
    print(f"{PREFIX} {clean(question)} ", file=sys.stderr, end="", flush=True)
    return sys.stdin.readline().strip()


def confirm(question: str) -> bool:
    """Ask a yes/no question; no is the default."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")
