"""Whose token goes to the broker: a job's own, a stored login's, refreshed in time."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dbgate_cli.settings import Settings
from dbgate_cli.token_store import Login, TokenStore
from dbgate_cli.tokens import bearer, expires_at
from dbgate_core.errors import NotSignedIn
from dbgate_core.secret import Secret

REFRESH_BEFORE_S: Final = 60.0
"""A token is renewed when less than this is left, so that it does not end under way."""
LOCK_TIMEOUT_S: Final = 15.0


class Identity:
    """Gives an ID token, in this order: DBGATE_ID_TOKEN, its file, the stored login.

    A token file is read at each call: CI systems renew it in place.
    """

    def __init__(self, settings: Settings, store: TokenStore | None = None) -> None:
        self._settings = settings
        self._store = store or TokenStore(settings.home)
        self._login: Login | None = None

    @property
    def source(self) -> str:
        """Where the token comes from, as `whoami` says it; empty when there is none."""
        if self._settings.id_token is not None:
            return "DBGATE_ID_TOKEN"
        if self._settings.id_token_file is not None:
            return "DBGATE_ID_TOKEN_FILE"
        place = self._store.place(self._settings.broker)
        return place.value if place else ""

    def token(self) -> Secret:
        """Give an unexpired ID token. Raises NotSignedIn when there is none to be had."""
        settings = self._settings
        if settings.id_token is not None:
            return bearer(settings.id_token.expose(), "DBGATE_ID_TOKEN")
        if settings.id_token_file is not None:
            try:
                text = settings.id_token_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise NotSignedIn(
                    f"cannot read DBGATE_ID_TOKEN_FILE {settings.id_token_file}",
                    hint="give the job its OIDC token",
                ) from exc
            return bearer(text, f"DBGATE_ID_TOKEN_FILE {settings.id_token_file}")
        if self._login is None:
            self._login = self._store.load(settings.broker)
        if self._login is None:
            raise NotSignedIn("not signed in", hint="dbgate login")
        if not _fresh(self._login):
            self._login = self._refresh()
        return self._login.id_token

    def _refresh(self) -> Login:
        """Renew the stored login, alone: a refresh token used twice ends the whole login."""
        from dbgate_cli import login as flows
        from dbgate_cli.client import Broker

        with self._lock():
            stored = self._store.load(self._settings.broker)
            if stored is None:
                raise NotSignedIn("not signed in", hint="dbgate login")
            if _fresh(stored):
                return stored
            broker = Broker(self._settings, _nobody)
            try:
                issuer = flows.issuer_of(self._settings, broker.discovery())
            finally:
                broker.close()
            if (issuer.url, issuer.client_id) != (stored.issuer, stored.client_id):
                raise NotSignedIn("the broker has another issuer now", hint="dbgate login")
            renewed = flows.refreshed(issuer, stored)
            self._store.save(
                self._settings.broker, renewed, self._store.place(self._settings.broker)
            )
            return renewed

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        with (self._settings.home / "refresh.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as exc:
                    if time.monotonic() > deadline:
                        raise NotSignedIn(
                            "another dbgate is renewing the login, and does not end",
                            hint="try again",
                        ) from exc
                    time.sleep(0.02)
            yield


def _nobody() -> Secret:
    raise NotSignedIn("not signed in", hint="dbgate login")


def _fresh(login: Login) -> bool:
    return expires_at(login.id_token) - time.time() > REFRESH_BEFORE_S
