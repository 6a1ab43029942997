"""What dbgate is compared with: relays that judge, record and mask nothing.

haproxy speaks no PostgreSQL: it can put TLS between its own two hops, but cannot ask the server for
it, so its last leg is plain. It does less than dbgate, in C; that is the yardstick.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.paths import Route, wait_for

BOUNCER = "pgbouncer TLS/TLS"
HAPROXY = "haproxy two hops"
MAX_CLIENTS = 4_096
"""More than any work asks for."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Peer:
    """Programs that relay to the server, with files of their own in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def _certificate(self) -> None:
        subprocess.run(
            shlex.split(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                " -subj /CN=localhost -keyout key.pem -out cert.pem"
            ),
            cwd=self._folder,
            check=True,
            capture_output=True,
        )
        pair = [(self._folder / name).read_text() for name in ("cert.pem", "key.pem")]
        (self._folder / "both.pem").write_text("".join(pair))

    def _run(self, argv: Sequence[str]) -> int:
        """Start a program, as nobody when we are root; its process id."""
        for file in (self._folder, *self._folder.iterdir()):
            file.chmod(0o755 if file.is_dir() else 0o644)
        root = os.geteuid() == 0
        process = subprocess.Popen(
            argv,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user="nobody" if root else None,
            group="nogroup" if root else None,
            extra_groups=[] if root else None,
        )
        self._processes.append(process)
        return process.pid

    def stop(self) -> None:
        """End its programs."""
        for process in self._processes:
            process.terminate()
            process.wait(10)


class Bouncer(Peer):
    """pgbouncer in session mode, TLS on both sides; the same user as the direct route."""

    def start(self, env: dict[str, str]) -> Route:
        """Start it before the server that `env` leads to; give the route through it."""
        self._certificate()
        port = free_port()
        (self._folder / "users.txt").write_text(f'"{env["PGUSER"]}" "{env["PGPASSWORD"]}"\n')
        (self._folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host={env['PGHOST']} port={env['PGPORT']}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {self._folder}/users.txt\n"
            f"pool_mode = session\nmax_client_conn = {MAX_CLIENTS}\ndefault_pool_size = 100\n"
            f"client_tls_sslmode = require\nclient_tls_key_file = {self._folder}/key.pem\n"
            f"client_tls_cert_file = {self._folder}/cert.pem\nserver_tls_sslmode = require\n"
            "ignore_startup_parameters = extra_float_digits\nlogfile =\n"
        )
        pid = self._run(
            [program("pgbouncer") or "pgbouncer", "-q", str(self._folder / "pgbouncer.ini")]
        )
        own = {k: v for k, v in env.items() if k != "PGSSLROOTCERT"}  # its certificate is its own
        own |= {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGSSLMODE": "require"}
        route = Route(BOUNCER, own, (("pgbouncer", pid),))
        wait_for(route)
        return route


class Haproxy(Peer):
    """Two haproxy processes in tcp mode, one thread each: plain -> TLS -> plain to the server."""

    def start(self, env: dict[str, str]) -> Route:
        """Start both before the server that `env` leads to; give the route through them."""
        self._certificate()
        near, far = free_port(), free_port()
        tls = f"ssl crt {self._folder}/both.pem ssl-min-ver TLSv1.3"
        pids = (
            self._hop("far", f"{far} {tls}", f"{env['PGHOST']}:{env['PGPORT']}"),
            self._hop("near", str(near), f"127.0.0.1:{far} ssl verify none"),
        )
        own = env | {"PGHOST": "127.0.0.1", "PGPORT": str(near), "PGSSLMODE": "disable"}
        route = Route(HAPROXY, own, (("far hop", pids[0]), ("near hop", pids[1])))
        wait_for(route)
        return route

    def _hop(self, name: str, bind: str, server: str) -> int:
        file = self._folder / f"{name}.cfg"
        file.write_text(
            f"global\n    nbthread 1\n    maxconn {MAX_CLIENTS}\n"
            f"defaults\n    mode tcp\n    maxconn {MAX_CLIENTS}\n"
            "    timeout connect 10s\n    timeout client 1h\n    timeout server 1h\n"
            f"listen hop\n    bind 127.0.0.1:{bind}\n    server next {server}\n"
        )
        return self._run([program("haproxy") or "haproxy", "-f", str(file), "-db"])


def program(name: str) -> str | None:
    """Where a program is; Debian keeps daemons where only root looks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def available(route: str) -> bool:
    """Whether a route's program is installed; the server and dbgate always are."""
    needed = {BOUNCER: "pgbouncer", HAPROXY: "haproxy"}.get(route)
    return needed is None or program(needed) is not None
