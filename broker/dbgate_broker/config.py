"""The broker's configuration: one TOML file, read into frozen structs, refused whole if wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from dbgate_broker.notifications.events import Event
from dbgate_core.errors import UsageError


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ListenConfig(_Section, frozen=True, kw_only=True):
    """Where the broker listens. Certificates are PEM files; the API and the gateway share them."""

    host: str = "127.0.0.1"
    api_port: int = 8443
    gateway_port: int = 8444
    public_host: str = ""
    tls_certificate: Path
    tls_key: Path


class PrincipalRule(_Section, frozen=True, kw_only=True):
    """Which tokens of an issuer are workloads or agents: all `match` claims must be equal.

    A rule's `name` replaces the token's name claim. No rule matches: the token is a user's.
    """

    kind: str
    match: dict[str, str]
    name: str = ""
    groups: list[str] = []


class IssuerConfig(_Section, frozen=True, kw_only=True):
    """A trusted OIDC issuer. Only tokens for `audience` are accepted."""

    url: str
    audience: str
    client_id: str = ""
    ca_file: Path | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "Ed25519")
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    principals: list[PrincipalRule] = []


class VaultConfig(_Section, frozen=True, kw_only=True):
    """Vault or OpenBao, entered by AppRole."""

    address: str
    role_id: str
    secret_id_file: Path
    mount: str = "database"
    approle_mount: str = "approle"
    ca_file: Path | None = None
    timeout_s: float = 5.0


class AccessRoleConfig(_Section, frozen=True, kw_only=True):
    """An access role of a database, and the Vault database role that makes its users.

    The order in the file is from the lowest to the highest.
    """

    name: str
    vault_role: str
    ttl_s: int = 3600


class DatabaseConfig(_Section, frozen=True, kw_only=True):
    """A governed database. `tls` is `verify-full`, or `disable` for loopback in developer mode.

    `sampling`: the broker looks into columns; `classes_file` says what people found in them.
    """

    name: str
    host: str
    port: int = 5432
    dbname: str
    engine: str = "postgresql"
    environment: str
    labels: dict[str, str] = {}
    tls: str = "verify-full"
    ca_file: Path | None = None
    sampling: bool = True
    classes_file: Path | None = None
    access_roles: list[AccessRoleConfig]


class AuditConfig(_Section, frozen=True, kw_only=True):
    """The audit log's directory and its Ed25519 signing key (PEM, made at first start if missing)."""

    directory: Path
    signing_key: Path
    origin: str = "dbgate"


class SessionConfig(_Section, frozen=True, kw_only=True):
    """Limits of sessions and requests."""

    max_s: int = 8 * 3600
    idle_s: int = 30 * 60
    abandoned_s: int = 90
    request_expiry_s: int = 24 * 3600
    max_grant_s: int = 8 * 3600
    drain_s: int = 20


class TelemetryConfig(_Section, frozen=True, kw_only=True):
    """What the broker shows of itself; without a token file there are no metrics."""

    metrics_token_file: Path | None = None
    otlp_endpoint: str = ""


class NotificationConfig(_Section, frozen=True, kw_only=True):
    """Where some of the events are told: a service that Apprise knows, or a webhook that is signed.

    Of nothing named in `events`, `databases` or `environments`: all of them.
    """

    name: str
    apprise_url_file: Path | None = None
    webhook_url: str = ""
    webhook_secret_file: Path | None = None
    ca_file: Path | None = None
    events: list[Event] = []
    databases: list[str] = []
    environments: list[str] = []


class Config(_Section, frozen=True, kw_only=True):
    """The whole file. Relative paths are relative to the file's folder."""

    listen: ListenConfig
    issuers: list[IssuerConfig]
    vault: VaultConfig
    databases: list[DatabaseConfig]
    policy_directory: Path
    audit: AuditConfig
    state_url: str
    masking_key_file: Path
    sessions: SessionConfig = SessionConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    notifications: list[NotificationConfig] = []
    developer_mode: bool = False


def load(path: Path) -> Config:
    """Read the file. Raises UsageError naming the file and the first thing wrong in it."""
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read the configuration {path}: {exc.strerror}") from exc

    def resolve(kind: type, value: Any) -> Path:
        if kind is Path and isinstance(value, str):
            return path.parent / value
        raise ValueError(f"expected a path, got {value!r}")

    try:
        return msgspec.convert(tomllib.loads(raw.decode()), Config, dec_hook=resolve)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"the configuration {path} is not valid: {exc}",
            hint="see docs/configuration.md for every key",
        ) from exc
