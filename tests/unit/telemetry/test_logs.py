"""The broker's log: one line a record, what it is about in it, and no secret by any path."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Callable

import pytest

from dbgate_broker.telemetry.logs import JsonLines, PlainLines, about, trouble
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret

MARKER = "marker-3b71-of-a-secret"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVz"
FORMATS: tuple[logging.Formatter, ...] = (JsonLines(), PlainLines())


class Lines(logging.Handler):
    """Keeps what a formatter makes."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def logged(formatter: logging.Formatter, work: Callable[[logging.Logger], object]) -> str:
    """What `work` logs, as one text."""
    logger = logging.getLogger("dbgate.loop")
    handler = Lines(formatter)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        work(logger)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    assert handler.lines
    assert not any("\n" in line for line in handler.lines)
    return "\n".join(handler.lines)


def nested(logger: logging.Logger) -> None:
    try:
        try:
            raise ValueError(f"bad value {MARKER}")
        except ValueError as exc:
            raise KeyError(MARKER) from exc
    except KeyError:
        logger.exception("it failed")


def in_a_task(logger: logging.Logger) -> None:
    async def fails() -> None:
        raise RuntimeError(f"with {MARKER}")

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(trouble)
        task = asyncio.create_task(fails(), name="forgotten")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(story())


def in_a_callback(logger: logging.Logger) -> None:
    def fails() -> None:
        raise RuntimeError(MARKER)

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(trouble)
        asyncio.get_running_loop().call_soon(fails)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(story())


@pytest.mark.parametrize("formatter", FORMATS)
@pytest.mark.parametrize(
    ("work", "says"),
    [
        (nested, "builtins.KeyError"),
        (in_a_task, "forgotten"),
        (in_a_callback, "builtins.RuntimeError"),
        (lambda log: log.warning("password is %s", Secret(MARKER)), "password is ***"),
        (lambda log: log.warning("password=%s", MARKER), "password=***"),
        (lambda log: log.warning("asked %r", {"a": f"Bearer {MARKER}"}), "asked"),
        (lambda log: log.warning("postgresql://u:%s@host/db", MARKER), "://***@host/db"),
    ],
)
def test_no_path_shows_a_secret(
    formatter: logging.Formatter, work: Callable[[logging.Logger], object], says: str
) -> None:
    text = logged(formatter, work)
    assert MARKER not in text
    assert says in text


@pytest.mark.parametrize("formatter", FORMATS)
@pytest.mark.parametrize("token", [TOKEN, "hvs.CAESIJlWh0r3kHQvYwq1dB", "s.4fQm2vX9kLpR7tYw1zBc3D"])
def test_what_looks_like_a_token_is_struck_out(formatter: logging.Formatter, token: str) -> None:
    assert token not in logged(formatter, lambda log: log.warning("sent %s to it", token))


def test_a_json_line_says_what_it_is_about() -> None:
    known = about.set({"session": "s-1", "connection": 4})
    try:
        line = json.loads(logged(JsonLines(), lambda log: log.warning('a "%s"\nline', "quoted")))
    finally:
        about.reset(known)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "dbgate.loop",
        "message": 'a "quoted"\nline',
        "session": "s-1",
        "connection": 4,
    }


def test_our_own_errors_say_what_they_say() -> None:
    def fails(logger: logging.Logger) -> None:
        try:
            raise Unreachable("Vault is sealed")
        except Unreachable:
            logger.exception("no lease")

    line = json.loads(logged(JsonLines(), fails))
    assert line["message"] == "no lease"
    assert line["error"].startswith(
        "dbgate_core.errors.Unreachable: Vault is sealed at test_logs.py"
    )


def test_a_line_cannot_be_forged() -> None:
    text = logged(PlainLines(), lambda log: log.warning("a\n2026-01-01 ERROR forged"))
    assert text.count("\n") == 0
