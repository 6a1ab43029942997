"""The PostgreSQL that the suites may spoil: TLS for the broker, plain loopback for the suites."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.integration.credentials.servers import PASSWORD, Postgres

REGRESSION = "regression"
"""As PostgreSQL's own suite names its database: its expected files say so."""
POSTGRES = "postgres"
"""As asyncpg's suite does."""
SETTINGS = """
ssl = on
ssl_cert_file = '{base}/cert.pem'
ssl_key_file = '{base}/key.pem'
max_connections = 200
max_prepared_transactions = 20
max_locks_per_transaction = 256
"""
TRUST = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 trust\n"
"""The direct route is the ephemeral user's, too, whose password only the broker knows."""
CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
)
LOCALE = {
    "lc_messages": "C",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "bytea_output": "hex",
    "timezone_abbreviations": "Default",
}
"""What pg_regress gives to the database that it makes."""


class Spoilable(Postgres):
    """A server whose databases can be made anew."""

    def dsn(self, dbname: str = "template1") -> str:
        """The superuser's own way in, past dbgate."""
        return super().dsn(dbname)

    def configure(self) -> None:
        """Once, before the first start."""
        subprocess.run(shlex.split(CERTIFICATE), cwd=self.base, check=True, capture_output=True)
        if self._owner:
            for name in ("cert.pem", "key.pem"):
                os.chown(self.base / name, self._owner["user"], self._owner["group"])
        with (self.base / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS.format(base=self.base))
        (self.base / "data" / "pg_hba.conf").write_text(TRUST)

    def broker_dsn(self, dbname: str) -> str:
        """The superuser's way in as `dbgate dev --database` wants it: verified TLS."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=PASSWORD,
            dbname=dbname,
            sslmode="verify-full",
            sslrootcert=str(self.base / "cert.pem"),
        )

    def renew_database(self, dbname: str) -> None:
        """An empty database again, in the locale that PostgreSQL's own suite expects."""
        name = sql.Identifier(dbname)
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        for setting, value in LOCALE.items():
            self.execute(
                sql.SQL("ALTER DATABASE {} SET {} TO {}").format(
                    name, sql.Identifier(setting), sql.Literal(value)
                )
            )

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement as the superuser, past dbgate."""
        self.query(statement.as_string(None))


@contextmanager
def spoilable() -> Iterator[Spoilable]:
    """A running server; gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="dbgate-suites-"))
    try:
        server = Spoilable(base)
        server.configure()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)
