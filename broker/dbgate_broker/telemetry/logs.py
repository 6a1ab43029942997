"""The broker's own log on stderr: as text, or a JSON object a line; never with a secret in it.

Our own messages hold none, and a `Secret` does not print itself. What others raise may quote
anything (a statement, a DSN, a header), so of their exceptions type and places are written, not the
text; and what looks like a credential in a message of theirs is struck out, as the last line of defence.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from dbgate_core.errors import DbgateError

TEXT_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MAX_PLACES: Final = 12
"""Of a stack, the innermost."""
STRUCK: Final = "***"
CREDENTIALS: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JSON Web Token
    r"|\b(?:hv[sbr]|[sbr])\.[\w-]{20,}"  # a token of Vault or OpenBao
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password in a URL
    r"|(?i:(?<=bearer )\S+|(?<=password=)\S+|(?<=secret_id=)\S+)"
)

about: ContextVar[Mapping[str, str | int]] = ContextVar("about")
"""What the running task works for: `session` and `connection`, or `request`."""

log = logging.getLogger("dbgate.loop")


def settle(kind: str) -> None:
    """Log to stderr from now on, as `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if kind == "json" else PlainLines(TEXT_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # six lines a start


def where(exc: BaseException) -> str:
    """The type and places of an exception and its causes; the text of our own errors alone."""
    said = f"{type(exc).__module__}.{type(exc).__qualname__}"
    if isinstance(exc, DbgateError):
        said += f": {exc.message}"
    frames = traceback.extract_tb(exc.__traceback__)[-MAX_PLACES:]
    places = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames)]
    said += f" at {' < '.join(places) or 'no place'}"
    cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return f"{said}; after {where(cause)}" if cause is not None else said


def message_of(record: logging.LogRecord) -> str:
    """The message, without credentials."""
    return CREDENTIALS.sub(STRUCK, record.getMessage())


class PlainLines(logging.Formatter):
    """A line a record, exceptions in short."""

    def format(self, record: logging.LogRecord) -> str:
        """Without the text of exceptions that are not ours."""
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {message_of(record)}"
        known = " ".join(f"{name}={value}" for name, value in about.get({}).items())
        if record.exc_info and record.exc_info[1] is not None:
            line += f": {where(record.exc_info[1])}"
        return " ".join(f"{line} [{known}]".split("\n")) if known else " ".join(line.split("\n"))


class JsonLines(logging.Formatter):
    """A JSON object a line: `time`, `level`, `logger`, `message`, `error`, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Without the text of exceptions that are not ours."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            **about.get({}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = where(record.exc_info[1])
        return msgspec.json.encode(fields, enc_hook=str).decode()


def trouble(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's handler of what nobody awaits; its own one prints whole exceptions and tasks."""
    exc = context.get("exception")
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else ""
    said = str(context.get("message", "")).partition("\n")[0]
    log.error("%s%s", said, f" ({name})" if name else "", exc_info=exc)
