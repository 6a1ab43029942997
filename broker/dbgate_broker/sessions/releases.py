"""The approvals of single statements, used up exactly once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from dbgate_broker.store import requests
from dbgate_broker.store.engine import Store
from dbgate_broker.store.sessions import SessionRow
from dbgate_core.approval.rules import releases
from dbgate_core.errors import DbgateError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreReleases:
    """`Releases` of one session, over the store."""

    store: Store
    session: SessionRow
    clock: Callable[[], datetime]

    def holds(self, digest: str, approval: str) -> bool:
        """Whether there is an unused approval of the statement of that digest. Uses nothing up."""
        return bool(self._ask(self._running, digest, approval))

    def take(self, digest: str, approval: str) -> str:
        """Use up the approval of the statement of that digest; the request's id, or "" if none.

        One transaction: of two statements that race, in whichever session or broker, one gets it.
        """
        for request_id in self._ask(self._use, digest, approval):
            return request_id
        return ""

    def _ask(
        self, work: Callable[[Connection, str, str], list[str]], digest: str, approval: str
    ) -> list[str]:
        """A store that does not answer releases nothing."""
        try:
            return self.store.call_now(work, digest, approval)
        except DbgateError as exc:
            log.error("the approvals of session %s cannot be read: %s", self.session.id, exc)
            return []

    def _running(self, connection: Connection, digest: str, approval: str) -> list[str]:
        principal, now = self.session.principal, self.clock()
        running = requests.running_of(connection, principal, now, self.session.database)
        return [
            request.id
            for request in running
            if request.access_role == self.session.access_role
            and releases(request, principal, digest, approval, now)
        ]

    def _use(self, connection: Connection, digest: str, approval: str) -> list[str]:
        for request_id in self._running(connection, digest, approval):
            if requests.use_statement(connection, request_id, self.session.id, self.clock()):
                return [request_id]
        return []
