"""An HTTP server of the test's own that is told things."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final, NamedTuple

LIMIT_S: Final = 30.0


class Told(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers with `answers` in turn, the last one for ever; 0 means no answer until `release`."""

    def __init__(self, answers: Sequence[int], tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._told: queue.Queue[Told] = queue.Queue()
        self.release = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/hook?of=dbgate"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def next(self) -> Told:
        """The next request, once it is there."""
        return self._told.get(timeout=LIMIT_S)

    @property
    def quiet(self) -> bool:
        """Is there no request that was not looked at."""
        return self._told.empty()

    def stop(self) -> None:
        """End it."""
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._told.put(Told(self.path, dict(self.headers.items()), body))
                status = outer._answers[0] if len(outer._answers) == 1 else outer._answers.pop(0)
                if not status:
                    outer.release.wait(LIMIT_S)
                    return
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def receiver(*answers: int, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver while it is wanted."""
    running = Receiver(answers or (204,), tls)
    try:
        yield running
    finally:
        running.stop()
