"""Settings that a client asks for at its start: judged as SETs, and kept in the opening's entry."""

from __future__ import annotations

import asyncio

from dbgate_broker.catalog import CatalogService, Login
from dbgate_broker.config import AccessRoleConfig, DatabaseConfig
from dbgate_broker.gateway.seams import ConnectionFacts, Credentials
from dbgate_broker.guards import ConnectionGuards
from dbgate_broker.sessions.guards import GuardedSession
from dbgate_broker.testing.sessions import NoHolds
from dbgate_core.approval.digest import statement_digest
from dbgate_core.catalog import Catalog
from dbgate_core.guard.leave import Leave
from dbgate_core.masking.key import MaskKey
from dbgate_core.pgwire.guard import Refusal
from dbgate_core.pgwire.options import as_statement
from dbgate_core.secret import Secret
from dbgate_core.sql.effects import Action
from tests.unit.guard.doubles import ALICE, SHOP, Approvals, Desk, MemoryLog, TablePolicy

SETTING = as_statement("app.tenant", "1")


def test_policy_decides_and_a_refusal_is_recorded() -> None:
    desk = Desk(policy=TablePolicy(denied=frozenset({Action.SET})))
    refusal = desk.guard().admit(SETTING)
    assert isinstance(refusal, Refusal)
    assert (refusal.sqlstate, refusal.rule) == ("42501", "no-code")
    ((kind, entry),) = desk.log.entries
    assert (kind, entry["text"]) == ("statement_refused", SETTING)
    assert isinstance(Desk().guard().admit(SETTING), Leave)


def test_an_approval_of_the_same_set_does_not_count() -> None:
    """It is good for one statement, and a start uses none up."""
    desk = Desk(policy=TablePolicy(held=frozenset({Action.SET})))
    guard = desk.guard()
    desk.approvals.held[statement_digest(SETTING, "prod-db", "readonly")] = "r1"
    assert isinstance(guard.judge(SETTING), Leave)
    assert isinstance(guard.admit(SETTING), Refusal)
    assert desk.approvals.held


class Fixed(CatalogService):
    """A catalog that needs no server."""

    async def get(self, database: DatabaseConfig, credentials: Login) -> Catalog:
        return SHOP


def test_what_was_asked_for_stands_in_the_entry_of_the_opening() -> None:
    log = MemoryLog()
    guards = ConnectionGuards(Fixed(), TablePolicy(), log, MaskKey(b"k" * 32), NoHolds())
    database = DatabaseConfig(
        name="prod-db",
        host="127.0.0.1",
        dbname="shop",
        environment="production",
        access_roles=[AccessRoleConfig(name="readonly", vault_role="r")],
    )
    session = GuardedSession("s-1", ALICE, database, "readonly", Approvals())
    credentials = Credentials("v-1", Secret("marker-of-a-secret"))
    for settings in ({"application_name": "psql"}, {"application_name": "x", "work_mem": "8MB"}):
        asyncio.run(guards.guard(session, ConnectionFacts(1, settings, "peer"), credentials))
    first, second = (entry for kind, entry in log.entries if kind == "connection_opened")
    assert (first["application"], "settings" in first) == ("psql", False)
    assert (second["application"], second["settings"]) == ("x", {"work_mem": "8MB"})
