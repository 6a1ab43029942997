"""Handlers of the audit log. Who looks at the log is itself recorded, before anything is shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final, TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dbgate_broker.api.endpoint import Call
from dbgate_broker.api.reading import Nothing
from dbgate_broker.audit.search import AuditQuery
from dbgate_core import contract
from dbgate_core.audit.who import who
from dbgate_core.decision import Decision, Verdict
from dbgate_core.errors import Denied, NotFound

ACTION: Final = "audit_read"
MAX_LIMIT: Final = 1000
CHUNK_BYTES: Final = 256 * 1024
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"

T = TypeVar("T")
Q = TypeVar("Q", bound=msgspec.Struct)
Short = Annotated[str, msgspec.Meta(max_length=300)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page begins: the `next` of the page before, or nothing for the first."""

    cursor: Short = ""


class Search(Page, frozen=True, kw_only=True):
    """What to look for; an empty parameter looks for anything. `since` is included, `until` is not."""

    principal: Short = ""
    database: Short = ""
    table: Short = ""
    verdict: Short = ""
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    kind: Short = ""
    session: Short = ""
    exposed: Short = ""
    since: Time | None = None
    until: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = 200


async def search(call: Call[Search, Nothing]) -> contract.AuditPage:
    """A page of what matches, in log order."""
    asked = call.query
    query = AuditQuery(
        principal=asked.principal,
        database=asked.database,
        table=asked.table,
        verdict=asked.verdict,
        text=asked.text,
        kind=asked.kind,
        session=asked.session,
        exposed=asked.exposed,
        since=asked.since,
        until=asked.until,
    )
    await _permit(call, "search", _decide(call))
    return await _read(call, lambda: call.services.audit.search(query, asked.cursor, asked.limit))


async def session(call: Call[Page, Nothing]) -> contract.AuditPage:
    """A page of a session's entries; whose session it is may read it, too."""
    session_id = call.path["id"]
    decision = _decide(call)
    if not decision.allowed and await _is_own(call, session_id):
        decision = Decision(Verdict.ALLOW, message="an own session")
    await _permit(call, "session", decision)
    return await _read(call, lambda: call.services.audit.session(session_id, call.query.cursor))


async def files(call: Call[Nothing, Nothing]) -> contract.LogFiles:
    """The files of the log."""
    await _permit(call, "files", _decide(call))
    return await _read(call, call.services.audit.files)


async def file(call: Call[Nothing, Nothing]) -> Response:
    """The bytes of one file, as it is now."""
    await _permit(call, "file", _decide(call))
    return FileAnswer(await _read(call, lambda: call.services.audit.read_file(call.path["name"])))


async def checkpoint(call: Call[Nothing, Nothing]) -> Response:
    """The newest signed checkpoint."""
    await _permit(call, "checkpoint", _decide(call))
    return Response(await _read(call, call.services.audit.checkpoint), media_type=TEXT)


def _decide(call: Call[Q, Nothing]) -> Decision:
    return call.services.policies.may(call.principal, ACTION, None)


async def _is_own(call: Call[Page, Nothing], session_id: str) -> bool:
    """Whether this very principal opened the session; an agent's is not its human's."""
    try:
        found = (await call.services.sessions.get(call.principal, session_id)).principal
    except NotFound:
        return False
    mine = call.principal
    whose = (found.kind, found.issuer, found.subject)
    return whose == (mine.kind.value, mine.issuer, mine.subject)


async def _permit(call: Call[Q, Nothing], what: str, decision: Decision) -> None:
    """Record that the log is read, or was tried to be; then let it. Raises Denied, AuditUnavailable."""
    if (recorder := call.services.recorder) is not None:
        asked = {k: v for k, v in msgspec.to_builtins(call.query).items() if v not in ("", None)}
        fields = {
            "scope": {"who": who(call.principal)},
            "verdict": Verdict.ALLOW.value if decision.allowed else Verdict.DENY.value,
            "policies": list(decision.policies),
            "read": what,
            "asked": asked | call.path,
        }
        await asyncio.to_thread(recorder.append, ACTION, fields)
    if not decision.allowed:
        raise Denied(
            decision.message or "you may not read the audit log",
            hint=decision.hint or "your own sessions: dbgate audit show SESSION",
            rule=", ".join(decision.policies),
        )


async def _read(call: Call[Q, Nothing], read: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(call.services.readers, read)


class FileAnswer(Response):
    """A file as it is when it is opened: what is appended meanwhile is not sent."""

    def __init__(self, path: Path) -> None:
        super().__init__(media_type=BYTES)
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, in pieces."""
        opened, left = await asyncio.to_thread(_open, self._path)
        with opened:
            self.headers["content-length"] = str(left)
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            while left and (piece := await asyncio.to_thread(opened.read, min(left, CHUNK_BYTES))):
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _open(path: Path) -> tuple[BinaryIO, int]:
    opened = path.open("rb")
    return opened, os.fstat(opened.fileno()).st_size
