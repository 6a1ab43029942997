"""A PostgreSQL server that does not mean well: a script talks to whoever connects."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import ssl
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dbgate_core.pgwire.messages import encode_fields, message

LIMIT_S = 15.0
SALT, ITERATIONS = b"0123456789abcdef", 4096


class Hostile:
    """One connection of the gateway's, as the server sees it. `heard` is all that it was sent."""

    def __init__(self, plain: socket.socket, leaf: Path) -> None:
        self.heard = b""
        self.first = b""
        self._socket = plain
        self._leaf = leaf

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        self.heard += data
        return data

    def read_message(self) -> tuple[bytes, bytes]:
        head = self.read(5)
        return head[:1], self.read(int.from_bytes(head[1:], "big") - 4)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def startup(self) -> bytes:
        """The StartupMessage's body."""
        return self.read(int.from_bytes(self.read(4), "big") - 4)

    def tls(self, injected: bytes = b"") -> None:
        """Answer the SSLRequest, and shake hands."""
        assert self.read(8)[4:] == struct.pack("!I", 80877103)
        self.send(b"S" + injected)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._leaf)
        self._socket = context.wrap_socket(self._socket, server_side=True)

    def ask(self, code: int, data: bytes = b"") -> None:
        """An Authentication message."""
        self.send(message(b"R", struct.pack("!I", code) + data))

    def error(self, sqlstate: str, text: str) -> None:
        fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": text}
        self.send(message(b"E", encode_fields(fields)))

    def scram(self, password: str, *, offer: bytes, server_key: bytes | None = None) -> None:
        """SCRAM as a server that knows the password; `server_key` to sign with another one."""
        self.ask(10, offer + b"\0\0")
        _, body = self.read_message()
        self.first = body
        bare = body[body.index(b"n=") :]
        nonce = bare.split(b"r=")[1] + b"server"
        challenge = b"r=" + nonce + b",s=" + b64encode(SALT) + b",i=%d" % ITERATIONS
        self.ask(11, challenge)
        _, final = self.read_message()
        without, proof = final.rsplit(b",p=", 1)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, ITERATIONS)
        signed = b",".join((bare, challenge, without))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        assert bytes(a ^ b for a, b in zip(key, signature, strict=True)) == b64decode(proof)
        own = server_key or hmac.digest(salted, b"Server Key", "sha256")
        self.ask(12, b"v=" + b64encode(hmac.digest(own, signed, "sha256")))

    def silence(self) -> None:
        """Say nothing until the other side leaves."""
        while True:
            self.read(1)


Script = Callable[[Hostile], None]


class Place:
    """Where a hostile server listens, and the connections that it had."""

    def __init__(self, script: Script, leaf: Path) -> None:
        self.met: list[Hostile] = []
        self.failures: list[BaseException] = []
        self._script, self._leaf = script, leaf
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(plain,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(LIMIT_S)
        peer = Hostile(plain, self._leaf)
        self.met.append(peer)
        try:
            with contextlib.suppress(OSError):  # the gateway hung up, as it should
                self._script(peer)
                peer.silence()
        except BaseException as exc:
            self.failures.append(exc)
        finally:
            peer._socket.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LIMIT_S)
        assert not self.failures


@contextmanager
def hostile(script: Script, leaf: Path) -> Iterator[Place]:
    place = Place(script, leaf)
    try:
        yield place
    finally:
        place.close()
