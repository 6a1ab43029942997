"""A gateway that says 200 to everybody and lets a test have the connections: TLS in threads."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from pathlib import Path

from dbgate_cli.proxy import Target
from dbgate_core.secret import Secret

LIMIT_S = 20.0


class PlainGateway:
    """Each connection that is past its CONNECT comes out of `connections`, in any order."""

    def __init__(self, ca_file: Path, leaf: Path) -> None:
        self.client_tls = ssl.create_default_context(cafile=str(ca_file))
        self.change_certificate(leaf)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.connections: queue.Queue[ssl.SSLSocket] = queue.Queue()
        self.reply = b"HTTP/1.1 200 OK\r\n\r\n"
        self._had: list[ssl.SSLSocket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def change_certificate(self, leaf: Path) -> None:
        """Use a certificate from now on, and know no TLS session of before."""
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(leaf)

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", self.port, "prod-db", "s1", Secret("token"))

    def next(self) -> ssl.SSLSocket:
        return self.connections.get(timeout=LIMIT_S)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LIMIT_S)
        for connection in self._had:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._open, args=(plain,))
            self._threads.append(thread)
            thread.start()

    def _open(self, plain: socket.socket) -> None:
        plain.settimeout(LIMIT_S)
        try:
            connection = self._tls.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            return
        self._had.append(connection)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = connection.recv(4096)
            if not more:
                return
            head += more
        connection.sendall(self.reply)
        self.connections.put(connection)
