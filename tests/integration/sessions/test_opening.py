"""Who may open what, and what they get."""

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest

from dbgate_broker.sessions.tickets import login_name, verifier
from dbgate_broker.store import leases, sessions
from dbgate_broker.store.engine import Store
from dbgate_broker.store.leases import LeaseState
from dbgate_core.contract import OpenSession
from dbgate_core.errors import (
    ApprovalNeeded,
    AuditUnavailable,
    Denied,
    NotFound,
    Unreachable,
    UsageError,
)
from dbgate_core.secret import Secret
from tests.integration.sessions.world import DAVE, READ, WRITE, running
from tests.unit.approval.people import ALICE, BOB, T0, agent


def test_a_standing_grant_opens_the_lowest_role_with_a_user_of_its_own(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            assert opened.session.access_role == "readonly"
            assert {opened.session.db_user} == world.vault.users
            assert (opened.username, opened.dbname) == ("alice", "shop")
            assert opened.session.expires_at == T0 + timedelta(hours=8)
            row = store.call_now(sessions.load, opened.session.id)
            assert row is not None
            assert row.db_user == opened.session.db_user
            (lease,) = store.call_now(leases.of_session, opened.session.id)
            assert lease.state is LeaseState.ACTIVE
            (entry,) = world.log.of_kind("session_opened")
            assert entry["session"] == opened.session.id
            assert entry["who"] == {
                "kind": "User", "name": "alice", "issuer": ALICE.issuer,
                "subject": ALICE.subject, "groups": ["developers"],
            }  # fmt: skip
            assert entry["db_user"] == opened.session.db_user
            assert entry["reason"] == "TICKET-1"

    asyncio.run(story())


def test_no_secret_of_a_session_is_kept_or_recorded(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            opened = await world.sessions.open(ALICE, READ)
            await world.sessions.close(ALICE, opened.session.id)
            secrets = (opened.tunnel_token, opened.password, "password-1")
            with store.transaction() as connection:
                dump = [
                    str(row)
                    for table in ("sessions", "leases", "access_requests")
                    for row in connection.exec_driver_sql(f"select * from {table}")
                ]
            for secret in secrets:
                assert secret not in "".join(dump) + str(world.log.entries)

    asyncio.run(story())


def test_a_role_that_needs_approval_says_the_rule_and_the_command(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            with pytest.raises(ApprovalNeeded) as caught:
                await world.sessions.open(ALICE, WRITE)
            assert caught.value.rule == "with-approval"
            assert "dbgate request-approval prod-db --role readwrite --reason" in caught.value.hint
            assert not world.vault.users
            assert not world.log.entries

    asyncio.run(story())


def test_an_approved_request_opens_until_its_window_ends_and_not_beyond(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            request = await world.approved()
            opened = await world.sessions.open(ALICE, WRITE)
            assert opened.session.expires_at == T0 + timedelta(hours=1)
            (entry,) = world.log.of_kind("session_opened")
            assert entry["request"] == request
            with pytest.raises(ApprovalNeeded):
                await world.sessions.open(agent(ALICE, "copilot", "developers"), WRITE)
            with pytest.raises(ApprovalNeeded):
                await world.sessions.open(BOB, WRITE)
            world.clock.move(3600)
            with pytest.raises(ApprovalNeeded):
                await world.sessions.open(ALICE, WRITE)

    asyncio.run(story())


def test_a_grant_serves_only_while_policy_would_still_take_its_votes(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            await world.approved()
            world.policy.quorum = "dba:2"
            with pytest.raises(ApprovalNeeded):
                await world.sessions.open(ALICE, WRITE)
            world.policy.quorum = "dba:1"
            world.policy.askable.clear()
            with pytest.raises(Denied):
                await world.sessions.open(ALICE, WRITE)

    asyncio.run(story())


def test_what_policy_denies_and_what_is_not_there(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            with pytest.raises(NotFound) as unknown:
                await world.sessions.open(ALICE, OpenSession(database="no-such-db"))
            assert "dbgate databases" in unknown.value.hint
            with pytest.raises(NotFound, match="root"):
                await world.sessions.open(
                    ALICE, OpenSession(database="prod-db", access_role="root")
                )
            with pytest.raises(Denied) as denied:
                await world.sessions.open(DAVE, READ)
            assert denied.value.hint
            with pytest.raises(Denied):
                await world.sessions.open(
                    ALICE, OpenSession(database="prod-db", access_role="admin")
                )
            for bad in (
                OpenSession(database="prod-db", reason="x" * 1001),
                OpenSession(database="prod-db", client="x" * 201),
                OpenSession(database="prod-db", agent="a\0b"),
            ):
                with pytest.raises(UsageError):
                    await world.sessions.open(ALICE, bad)
            assert not world.vault.users

    asyncio.run(story())


def test_an_asserted_agent_is_recorded_apart_from_what_is_proved(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            ask = OpenSession(database="prod-db", agent="claude")
            opened = await world.sessions.open(ALICE, ask)
            assert opened.session.agent == "claude"
            (entry,) = world.log.of_kind("session_opened")
            who = entry["who"]
            assert isinstance(who, dict)
            assert who["kind"] == "User"
            assert who["asserted_agent"] == "claude"

    asyncio.run(story())


def test_nothing_opens_when_it_cannot_be_recorded(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            world.log.full = True
            with pytest.raises(AuditUnavailable):
                await world.sessions.open(ALICE, READ)
            assert not world.vault.users
            assert await world.sessions.list(ALICE) == []

    asyncio.run(story())


def test_vault_away_is_a_clear_error_and_leaves_nothing(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            world.vault.down = True
            with pytest.raises(Unreachable) as caught:
                await world.sessions.open(ALICE, READ)
            assert caught.value.hint
            assert await world.sessions.list(ALICE) == []
            assert not world.log.of_kind("session_opened")

    asyncio.run(story())


def test_databases_show_how_each_role_stands(store: Store) -> None:
    async def story() -> None:
        async with running(store) as world:
            assert await world.sessions.databases_for(DAVE) == []
            prod = (await world.sessions.databases_for(ALICE))[0]
            stands = [(role.name, role.access, role.approval) for role in prod.access_roles]
            assert stands == [
                ("readonly", "granted", ""), ("readwrite", "approval", "dba:1"), ("admin", "denied", ""),
            ]  # fmt: skip
            await world.approved()
            prod = (await world.sessions.databases_for(ALICE))[0]
            assert prod.access_roles[1].access == "granted"
            assert prod.access_roles[1].until == T0 + timedelta(hours=1)

    asyncio.run(story())


def test_a_user_name_is_plain_whatever_the_issuer_says() -> None:
    assert login_name("alice@example.com") == "alice@example.com"
    assert login_name("Ünïcode näme\0'\"") == "_n_code_n_me___"
    assert login_name("") == login_name("日本") == "dbgate"
    assert len(login_name("x" * 200)) == 63


def test_the_verifier_is_that_of_rfc_7677() -> None:
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        f",c=biws,r={nonce}"
    ).encode()
    made = verifier(Secret("pencil"), b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    server = hmac.digest(made.server_key, said, "sha256")
    assert b64encode(server) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(made.stored_key, said, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == made.stored_key
