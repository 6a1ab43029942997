"""Vault and PostgreSQL set up as docs/vault.md says, from the very texts of that page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import hvac  # type: ignore[import-untyped]  # it ships no types

from dbgate_broker.config import VaultConfig
from tests.integration.credentials.servers import ROOT_TOKEN, OpenBao, Postgres

PAGE: Final = Path(__file__).parents[3] / "docs" / "vault.md"
ROLES: Final = {"readonly": "app_readonly", "readwrite": "app_readwrite", "admin": "app_admin"}


def block(name: str) -> str:
    """The code block of docs/vault.md that begins with a comment of that name."""
    for found in re.findall(r"^```\w*\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        first, _, rest = found.partition("\n")
        if first.lstrip("-# ") == name:
            return str(rest)
    raise AssertionError(f"docs/vault.md has no block {name!r}")


class Estate:
    """The set-up, as whoever runs dbgate would make it. `ttls` are Vault's default and longest."""

    def __init__(
        self, bao: OpenBao, database: Postgres, folder: Path, ttls: tuple[str, str] = ("1h", "24h")
    ) -> None:
        self.bao, self.database, self.folder = bao, database, folder
        self.root: Any = hvac.Client(url=bao.address, token=ROOT_TOKEN)
        if not database.query("select 1 from pg_roles where rolname = 'dbgate_vault'"):
            database.query(block("setup"))
            database.query(block("privileges"))
        self._engine(ttls)
        self._approle()

    def _engine(self, ttls: tuple[str, str]) -> None:
        if "database/" not in self.root.sys.list_mounted_secrets_engines()["data"]:
            self.root.sys.enable_secrets_engine("database", path="database")
        engine = self.root.secrets.database
        engine.configure(
            "prod-db",
            "postgresql-database-plugin",
            allowed_roles=[f"prod-db-{role}" for role in ROLES],
            username="dbgate_vault",
            password="change-me",
            connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{self.database.port}/postgres?sslmode=disable",
            password_authentication="scram-sha-256",
        )
        for role, group in ROLES.items():
            creation = block("creation of owners" if role == "admin" else "creation")
            engine.create_role(
                f"prod-db-{role}",
                "prod-db",
                default_ttl=ttls[0],
                max_ttl=ttls[1],
                creation_statements=[creation.replace("app_readonly", group)],
                revocation_statements=[block("revocation")],
            )

    def _approle(self) -> None:
        if "approle/" not in self.root.sys.list_auth_methods()["data"]:
            self.root.sys.enable_auth_method("approle")
        self.root.sys.create_or_update_policy("dbgate", block("policy"))
        approle = self.root.auth.approle
        approle.create_or_update_approle("dbgate", token_policies=["dbgate"], token_period="1h")
        self.role_id = approle.read_role_id("dbgate")["data"]["role_id"]
        secret = approle.generate_secret_id("dbgate")["data"]["secret_id"]
        (self.folder / "secret-id").write_text(f"{secret}\n")

    def config(self, **changes: Any) -> VaultConfig:
        """The broker's configuration of this Vault."""
        plain: dict[str, Any] = {
            "address": self.bao.address,
            "role_id": self.role_id,
            "secret_id_file": self.folder / "secret-id",
        }
        return VaultConfig(**(plain | changes))

    def revoke_tokens_of_the_broker(self) -> None:
        """End every login of the AppRole, and with it the leases taken by it."""
        accessors = self.root.list("auth/token/accessors")["data"]["keys"]
        for accessor in accessors:
            found = self._token(accessor)
            if found and "dbgate" in found["policies"]:
                self.root.auth.token.revoke_accessor(accessor)

    def _token(self, accessor: str) -> dict[str, Any] | None:
        lookup: Callable[[str], dict[str, Any]] = self.root.auth.token.lookup_accessor
        try:
            return dict(lookup(accessor)["data"])
        except hvac.exceptions.VaultError:
            return None
