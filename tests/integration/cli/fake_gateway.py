"""A gateway for the command line's tests: TLS, CONNECT with the session's token, then a splice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from pathlib import Path
from typing import Any

from tests.integration.cli.fake_broker import FakeBroker

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class FakeGateway:
    """Leads to a server, for the token that the fake broker gives out. Runs in its own thread."""

    def __init__(self, leaf: Path, broker: FakeBroker, server: tuple[str, int]) -> None:
        self._broker = broker
        self._server = server
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(leaf)
        self.connects = 0
        self.problem: dict[str, Any] | None = None
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._done = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Close everything."""
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Break every connection, as a kill of the session does."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._done.wait()
        server.close()
        self._abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._tunnel(reader, writer)
        writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.connects += 1
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        session = self._broker.sessions.get(headers.get("Dbgate-Session", ""))
        good = (
            lines[0] == "CONNECT prod-db:5432 HTTP/1.1"
            and headers.get("Proxy-Authorization") == f"Bearer {self._broker.tunnel_token}"
            and session is not None
            and session.state == "open"
        )
        problem = self.problem
        if not good and problem is None:
            problem = {"code": "auth.required", "message": "no such session", "exit_code": 3}
        if problem is not None:
            body = json.dumps(problem).encode()
            writer.write(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        far = await asyncio.open_connection(*self._server)
        self._writers |= {writer, far[1]}
        await asyncio.gather(_pump((reader, far[1])), _pump((far[0], writer)))
        self._writers -= {writer, far[1]}


async def _pump(way: Streams) -> None:
    source, sink = way
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
