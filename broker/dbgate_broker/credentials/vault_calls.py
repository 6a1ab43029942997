"""The synchronous calls to Vault or OpenBao, by hvac: login, token renewal, error translation.

Only the API that HashiCorp Vault and OpenBao share is used. What Vault must hold is in
docs/vault.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import hvac  # type: ignore[import-untyped]  # it ships no types
import requests
from hvac import exceptions as vault_errors

from dbgate_broker.config import VaultConfig
from dbgate_broker.credentials.provider import LeaseGone
from dbgate_core.errors import DbgateError, Unreachable, UsageError
from dbgate_core.secret import Secret

CONNECT_TIMEOUT_S: Final = 2.0
RENEW_AT: Final = 0.5
"""The share of the token's life after which it is renewed, by the next call."""

log = logging.getLogger(__name__)
T = TypeVar("T")
Client = Any  # hvac.Client, which is untyped
Answer = dict[str, Any]  # a JSON object of Vault's


class VaultCalls:
    """Vault, as the broker's AppRole sees it. Thread-safe; every call has a timeout.

    A lease is a child of the token that took it and ends with it, so the token is renewed as
    long as Vault lets it; docs/vault.md asks for a periodic token, which can always be.
    """

    def __init__(self, config: VaultConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._renew_at = 0.0
        self._dies_at = 0.0
        self._local = threading.local()

    def credentials(self, role: str) -> Answer:
        """A new database user: `lease_id`, `lease_duration` (s), `data` with username, password."""
        path = f"/v1/{self._config.mount}/creds/{role}"
        return self._ask(f"database role {role}", lambda vault: vault.adapter.get(path))

    def renew(self, lease_id: str, increment_s: int) -> int:
        """Renew a lease; gives the seconds it now lasts. Raises LeaseGone."""
        answer = self._ask(
            "lease renewal", lambda vault: vault.sys.renew_lease(lease_id, increment=increment_s)
        )
        return int(answer["lease_duration"])

    def revoke(self, lease_id: str) -> None:
        """Revoke a lease and wait until Vault has run its revocation statements."""
        body = {"lease_id": lease_id, "sync": True}
        try:
            self._ask(
                "lease revocation",
                lambda vault: vault.adapter.put("/v1/sys/leases/revoke", json=body),
            )
        except LeaseGone:
            return

    def lease_ids(self, role: str) -> list[str]:
        """The ids of all leases of a database role."""
        prefix = f"{self._config.mount}/creds/{role}/"
        path = f"/v1/sys/leases/lookup/{prefix}"
        try:
            answer = self._ask("list of leases", lambda vault: vault.adapter.list(path))
        except LeaseGone:
            return []  # Vault answers 404 for an empty list
        return [prefix + key for key in answer["data"]["keys"]]

    def look(self) -> None:
        """Ask Vault for its health. Raises Unreachable when it is gone, sealed or not initialised."""
        path = "/v1/sys/health?standbyok=true&perfstandbyok=true"
        self._translated("health", lambda: self._client(None).adapter.get(path), final=True)

    def forget(self) -> None:
        """Drop the token from memory; it ends by itself, and with it what was left of its leases."""
        with self._lock:
            self._token = None

    def _ask(self, what: str, call: Callable[[Client], T]) -> T:
        """Make a call with a living token; once more when Vault has dropped the token."""
        token = self._living_token()
        try:
            return self._translated(what, lambda: call(self._client(token)))
        except _TokenRefused:
            fresh = self._living_token(refused=token)
            return self._translated(what, lambda: call(self._client(fresh)), final=True)

    def _living_token(self, refused: Secret | None = None) -> Secret:
        with self._lock:
            now = self._clock()
            if self._token is None or self._token is refused or now >= self._dies_at:
                return self._login(now)
            if now < self._renew_at:
                return self._token
            try:
                return self._renew(self._token, now)
            except (Unreachable, _TokenRefused):
                if self._token is not None:  # it lives on for a while: the call itself will tell
                    return self._token
                raise

    def _login(self, now: float) -> Secret:
        try:
            secret_id = self._config.secret_id_file.read_text().strip()
        except OSError as exc:
            raise UsageError(
                f"cannot read the AppRole's secret id: {exc.strerror}",
                hint="vault.secret_id_file names it; see docs/vault.md",
            ) from exc
        mount = self._config.approle_mount
        answer: Answer = self._translated(
            "login by AppRole",
            lambda: self._client(None).auth.approle.login(
                self._config.role_id, secret_id, use_token=False, mount_point=mount
            ),
            final=True,
        )
        return self._keep(answer, now)

    def _renew(self, token: Secret, now: float) -> Secret:
        answer: Answer = self._translated(
            "token renewal", lambda: self._client(token).auth.token.renew_self()
        )
        return self._keep(answer, now)

    def _keep(self, answer: Answer, now: float) -> Secret:
        auth = answer["auth"]
        lasts_s = float(auth["lease_duration"]) or float("inf")  # 0: it never ends
        self._dies_at = now + lasts_s
        self._renew_at = now + lasts_s * RENEW_AT
        self._token = Secret(str(auth["client_token"]))
        return self._token

    def _client(self, token: Secret | None) -> Client:
        """A client with the thread's own connections; nothing is taken from the environment."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # neither proxies nor .netrc may come between
        ca_file = self._config.ca_file
        session.verify = True if ca_file is None else str(ca_file)
        return hvac.Client(
            url=self._config.address,
            token=token.expose() if token else "",
            timeout=(CONNECT_TIMEOUT_S, self._config.timeout_s),
            session=session,
            verify=session.verify,
        )

    def _translated(self, what: str, call: Callable[[], T], *, final: bool = False) -> T:
        """Make a call; give hvac's and requests' exceptions as dbgate's."""
        try:
            return call()
        except requests.RequestException as exc:
            raise Unreachable(
                f"Vault at {self._config.address} does not answer",
                hint="is it running? `dbgate doctor` looks; sessions that are open go on",
                code="vault.unreachable",
            ) from exc
        except vault_errors.Forbidden as exc:
            if not final:
                raise _TokenRefused("Vault refuses the token") from exc
            raise _refused(what) from exc
        except vault_errors.VaultError as exc:
            meaning = _meaning(what, exc)
            if not isinstance(meaning, LeaseGone):
                log.warning("Vault: %s failed: %s %s", what, type(exc).__name__, exc.errors)
            raise meaning from exc


class _TokenRefused(DbgateError):
    """403: the token is gone, or may not do this; only a fresh one tells which."""


def _refused(what: str) -> Unreachable:
    return Unreachable(
        f"Vault refuses the broker: {what}",
        hint="compare the AppRole, its secret id and its policy with docs/vault.md",
        code="vault.forbidden",
    )


def _meaning(what: str, exc: vault_errors.VaultError) -> DbgateError:
    said = " ".join(str(error) for error in exc.errors or ())
    gone = isinstance(exc, vault_errors.InvalidPath) or "lease not found" in said
    if gone and "lease" in what:
        return LeaseGone(f"Vault does not know it: {what}")
    if isinstance(exc, vault_errors.VaultDown) or "sealed" in said:
        return Unreachable(
            "Vault is sealed or on standby", hint="unseal it", code="vault.unreachable"
        )
    if isinstance(exc, vault_errors.InvalidRequest | vault_errors.InvalidPath):
        return Unreachable(
            f"Vault does not know or will not do this: {what}",
            hint="compare its database roles with the broker's configuration and docs/vault.md",
            code="vault.refused",
        )
    return Unreachable(
        f"Vault failed: {what}",
        hint="Vault's log says why; mostly it cannot reach the database, or its user there may not",
        code="vault.failed",
    )
