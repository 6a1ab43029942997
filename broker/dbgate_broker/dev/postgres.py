"""The embedded PostgreSQL: made once, started at every start, loopback TCP alone.

With TLS where the build can: then nothing but TLS is let in, and SCRAM is bound to the channel.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dbgate_broker.dev import accounts, binaries, children, files
from dbgate_broker.dev.accounts import Account
from dbgate_broker.dev.authority import Authority
from dbgate_core.errors import Unreachable
from dbgate_core.secret import Secret

SUPERUSER: Final = "postgres"
INIT_S: Final = 60.0
START_S: Final = 60.0
CONNECT_S: Final = 5
NAME: Final = "postgresql"
MADE: Final = "dbgate-made"
"""Stands in a data directory once `initdb` has ended well."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """An embedded PostgreSQL in its place."""

    server: binaries.Server
    account: Account | None
    place: Path
    port: int
    ca_file: Path
    password: Secret

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.place / "data"

    def dsn(self, dbname: str = "postgres") -> Secret:
        """The superuser's way in, verified as far as the build can."""
        tls = {"sslmode": "disable"}
        if self.server.tls:
            tls = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)}
        text = make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.password.expose(),
            dbname=dbname,
            connect_timeout=CONNECT_S,
            **tls,
        )
        return Secret(text)

    def connect(self, dbname: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Connect as the superuser, in autocommit. Raises Unreachable."""
        try:
            return psycopg.connect(self.dsn(dbname).expose(), autocommit=True)
        except psycopg.OperationalError as exc:
            raise Unreachable("the embedded PostgreSQL does not let us in") from exc

    def answers(self) -> bool:
        """Whether it lets the superuser in."""
        try:
            self.connect().close()
        except Unreachable:
            return False
        return True


async def start(
    family: children.Children, authority: Authority, port: int
) -> tuple[Cluster, children.Child]:
    """Make the cluster when it is missing, start it, and wait until it answers."""
    home, account = family.home, accounts.unprivileged()
    place = accounts.place_for(account, home.root / NAME, home.root / "postgresql.place")
    server = binaries.postgresql(account, place, _made_by(place / "data"))
    password = files.keep_password(home.secret("postgresql-superuser"))
    cluster = Cluster(server, account, place, port, authority.ca_file, password)
    if not (cluster.data / MADE).exists():
        await _make(cluster, family)
    _configure(cluster, authority)
    _forget_a_crash(cluster)
    argv = [server.program("postgres"), "-D", str(cluster.data)]
    program = children.Program(NAME, argv, signal.SIGINT, account, place, {"LC_ALL": "C"})
    child = await family.start(program)
    await children.until("PostgreSQL", cluster.answers, child, START_S)
    return cluster, child


def _made_by(data: Path) -> int:
    """The major version that made a data directory; 0 for none, or one that is half made."""
    if not (data / MADE).exists():
        return 0
    return int((data / "PG_VERSION").read_text().split(".")[0])


async def _make(cluster: Cluster, family: children.Children) -> None:
    """`initdb`; what an earlier one left half done is removed before."""
    shutil.rmtree(cluster.data, ignore_errors=True)
    password_file = cluster.place / "password"
    files.write(password_file, cluster.password.expose().encode())
    if cluster.account is not None:
        cluster.account.own(password_file)
    argv = [cluster.server.program("initdb"), "-D", str(cluster.data), "-U", SUPERUSER]
    argv += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
    argv += ["--encoding=UTF8", "--locale=C"]
    program = children.Program(
        "initdb", argv, account=cluster.account, folder=cluster.place, env={"LC_ALL": "C"}
    )
    try:
        await family.run(program, INIT_S)
    finally:
        password_file.unlink(missing_ok=True)
    (cluster.data / MADE).touch()


def _configure(cluster: Cluster, authority: Authority) -> None:
    """Write dbgate.conf (read by postgresql.conf) and pg_hba.conf anew."""
    settings = f"""\
        # Written by `dbgate dev` at every start.
        listen_addresses = '127.0.0.1'
        port = {cluster.port}
        unix_socket_directories = ''
        max_connections = 300
        password_encryption = 'scram-sha-256'
        logging_collector = off
        log_timezone = 'UTC'
        timezone = 'UTC'
        """
    kind = "host"
    if cluster.server.tls:
        kind = "hostssl"
        authority.leaf(cluster.place / "server.pem", cluster.place / "server.key", "PostgreSQL")
        settings += f"""\
        ssl = on
        ssl_cert_file = '{_quoted(cluster.place / "server.pem")}'
        ssl_key_file = '{_quoted(cluster.place / "server.key")}'
        ssl_min_protocol_version = 'TLSv1.2'
        """
        _give(cluster, cluster.place / "server.pem", cluster.place / "server.key")
    own = cluster.data / "dbgate.conf"
    files.write(own, textwrap.dedent(settings).encode())
    main = cluster.data / "postgresql.conf"
    if "include 'dbgate.conf'" not in main.read_text():
        with main.open("a") as file:
            file.write("\ninclude 'dbgate.conf'\n")
    hba = cluster.data / "pg_hba.conf"
    files.write(hba, f"{kind} all all 127.0.0.1/32 scram-sha-256\n".encode())
    _give(cluster, own, hba)


def _give(cluster: Cluster, *paths: Path) -> None:
    if cluster.account is not None:
        cluster.account.own(*paths)


def _quoted(path: Path) -> str:
    """A path within a quoted setting (PostgreSQL documentation, 20.1)."""
    return str(path).replace("\\", "\\\\").replace("'", "''")


def _forget_a_crash(cluster: Cluster) -> None:
    """Remove a postmaster.pid whose process is none of ours.

    The home is locked and its leftovers are ended: what the file names is no postmaster of this
    directory, but after a reboot, or in a container, another process may have got its number,
    and PostgreSQL would refuse to start.
    """
    file = cluster.data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(file.read_text().split()[0])
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cwd").resolve() == cluster.data.resolve():
                return  # a postmaster of this very directory lives: PostgreSQL is right to refuse
        file.unlink()


def encrypted(connection: psycopg.Connection[tuple[object, ...]], role: str, secret: Secret) -> str:
    """The SCRAM verifier of a password, so that the server (and its log) never sees it in clear."""
    password, name = secret.expose().encode(), role.encode()
    return connection.pgconn.encrypt_password(password, name, b"scram-sha-256").decode()


def set_password(
    connection: psycopg.Connection[tuple[object, ...]], role: str, secret: Secret
) -> None:
    """Give a role a password."""
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(encrypted(connection, role, secret))
        )
    )
