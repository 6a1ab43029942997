"""What a client needs to know of a listener, and how a child process is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from dbgate_cli.tunnel import HOST
from dbgate_core.secret import Secret

_DROPPED: Final = frozenset(
    {
        "PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSFILE", "PGCHANNELBINDING",
        "PGREQUIREAUTH", "PGREQUIRESSL", "PGTARGETSESSIONATTRS", "PGSSLNEGOTIATION",
        "DBGATE_ID_TOKEN",
    }
)  # fmt: skip
"""What would lead libpq elsewhere, or hand a token to a program that does not need it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a client needs: the listener's port and the session's one-time credentials."""

    port: int
    username: str
    password: Secret
    dbname: str

    def url(self) -> str:
        """The connection URL, password included: for a child's environment or the ready event."""
        user, password = quote(self.username, safe=""), quote(self.password.expose(), safe="")
        name = quote(self.dbname, safe="")
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{name}?sslmode=disable"

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """A child's environment. The loopback leg is plain; TLS begins behind the listener."""
        kept = {key: value for key, value in base.items() if key not in _DROPPED}
        return kept | {
            "DATABASE_URL": self.url(),
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": self.username,
            "PGPASSWORD": self.password.expose(),
            "PGDATABASE": self.dbname,
            "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable",
        }
