"""What a governed database must hold for its access roles, as docs/vault.md says: SQL as values.

Role names are the cluster's, not the database's, so they carry the database's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from dbgate_core.errors import UsageError

LEVELS: Final = ("readonly", "readwrite", "admin")
"""The access roles of every database of developer mode, from the lowest to the highest."""
MAX_NAME: Final = 40
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")

_REVOCATION: Final = """\
DO $dbgate$
DECLARE
  gone CONSTANT name := '{{{{name}}}}';
  gone_oid CONSTANT oid := (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = gone);
BEGIN
  IF gone_oid IS NULL THEN
    RETURN;
  END IF;
  EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN', gone);
  PERFORM pg_catalog.pg_terminate_backend(pid, 2000)
    FROM pg_catalog.pg_stat_activity WHERE usename = gone;
  IF EXISTS (SELECT FROM pg_catalog.pg_shdepend
             WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = gone_oid) THEN
    EXECUTE pg_catalog.format('GRANT %I TO CURRENT_USER', gone);
    EXECUTE pg_catalog.format('REASSIGN OWNED BY %I TO {admin}', gone);
    EXECUTE pg_catalog.format('DROP OWNED BY %I', gone);
  END IF;
  EXECUTE pg_catalog.format('DROP ROLE %I', gone);
END
$dbgate$;"""


@dataclass(frozen=True, slots=True)
class AccessRoles:
    """The PostgreSQL roles of one governed database; `vault` is whom OpenBao logs in as."""

    readonly: str
    readwrite: str
    admin: str
    vault: str

    @classmethod
    def of(cls, database: str) -> AccessRoles:
        """The roles of a database by its name in dbgate. Raises UsageError for an unusable name."""
        word = _UNSAFE.sub("_", database.lower()).strip("_")
        if not word or len(word) > MAX_NAME:
            raise UsageError(
                f"{database!r} is no name for a database", hint="letters, digits and dashes"
            )
        return cls(*(f"dbgate_{word}_{end}" for end in (*LEVELS, "vault")))

    def group(self, level: str) -> str:
        """The role behind an access role."""
        return {"readonly": self.readonly, "readwrite": self.readwrite, "admin": self.admin}[level]

    def creation(self, level: str) -> list[str]:
        """Vault's creation statements of an access role (docs/vault.md, "creation")."""
        group = self.group(level)
        made = [
            "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}'"
            f" VALID UNTIL '{{{{expiration}}}}' IN ROLE {group};"
        ]
        if level == "admin":
            made.append(f'ALTER ROLE "{{{{name}}}}" SET role TO {group};')
        return made

    def revocation(self) -> list[str]:
        """Vault's revocation statements, the same for every access role."""
        return [_REVOCATION.format(admin=self.admin)]


def role_statements(roles: AccessRoles) -> list[sql.Composed]:
    """Make the groups and the vault user where they are missing; the password is set elsewhere."""
    missing = sql.SQL(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal})"
        " THEN CREATE ROLE {name} {options}; END IF; END $$"
    )
    made: list[sql.Composed] = [
        missing.format(
            literal=sql.Literal(name), name=sql.Identifier(name), options=sql.SQL(options)
        )
        for name, options in (
            (roles.readonly, "NOLOGIN"),
            (roles.readwrite, "NOLOGIN"),
            (roles.admin, "NOLOGIN"),
            (roles.vault, "LOGIN CREATEROLE"),
        )
    ]
    groups = sql.SQL(", ").join(map(sql.Identifier, (roles.readonly, roles.readwrite, roles.admin)))
    vault = sql.Identifier(roles.vault)
    made.append(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(groups, vault))
    made.append(sql.SQL("GRANT pg_signal_backend TO {}").format(vault))
    return made


def database_statements(roles: AccessRoles, dbname: str, *, owner: bool) -> list[sql.Composed]:
    """Who may connect to a database. With `owner` it is ours: PUBLIC may not, admin may all."""
    database = sql.Identifier(dbname)
    everyone = sql.SQL(", ").join(
        map(sql.Identifier, (roles.readonly, roles.readwrite, roles.admin, roles.vault))
    )
    writers = sql.SQL(", ").join(map(sql.Identifier, (roles.readwrite, roles.admin)))
    made: list[sql.Composed] = []
    if owner:
        made.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        made.append(
            sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
                database, sql.Identifier(roles.admin)
            )
        )
    made.append(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, everyone))
    made.append(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(database, writers))
    return made


def schema_statements(roles: AccessRoles, schema: str, owner: str) -> list[sql.Composed]:
    """What the access roles may do in a schema, now and with what `owner` adds later."""
    names = {
        "schema": sql.Identifier(schema),
        "ro": sql.Identifier(roles.readonly),
        "rw": sql.Identifier(roles.readwrite),
        "admin": sql.Identifier(roles.admin),
        "owner": sql.Identifier(owner),
    }
    return [sql.SQL(text).format(**names) for text in (*_NOW, *_LATER)]


_NOW: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {ro}, {rw}",
    "GRANT ALL ON SCHEMA {schema} TO {admin}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {ro}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {rw}",
    "GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {admin}",
    "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {ro}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {rw}",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {admin}",
)
_LATER: Final = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {ro}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {rw}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT ALL ON TABLES TO {admin}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON SEQUENCES TO {ro}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    " GRANT USAGE, SELECT ON SEQUENCES TO {rw}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT ALL ON SEQUENCES TO {admin}",
)
