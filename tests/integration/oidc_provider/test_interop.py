"""Signing in at a provider that dbgate's authors did not write."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dbgate_broker.config import IssuerConfig
from dbgate_broker.identity import Authenticator
from dbgate_cli.http import tls_context
from dbgate_cli.login import refreshed
from dbgate_cli.oidc import Issuer
from dbgate_cli.token_store import Login, TokenStore
from dbgate_core.errors import NotSignedIn
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.secret import Secret
from tests.integration.cli.conftest import World
from tests.integration.oidc_provider.person import browse
from tests.integration.oidc_provider.provider import Provider

PERSON = Path(__file__).with_name("person.py")


def principal(issuer: str, token: str) -> Principal:
    """Whom the broker takes a token for, by the keys that the provider publishes."""
    authenticator = Authenticator([IssuerConfig(url=issuer, audience="dbgate")])
    return asyncio.run(authenticator.principal(Secret(token)))


def accepted(issuer: str, token: str) -> bool:
    try:
        return principal(issuer, token).issuer == issuer
    except NotSignedIn:
        return False


def browser(tmp_path: Path, person: str, consent: str = "yes") -> dict[str, str]:
    """An environment whose $BROWSER is that person's."""
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {PERSON} "$1"\n')
    script.chmod(0o755)
    return {"BROWSER": str(script), "PERSON": person, "CONSENT": consent}


def login(world: World, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return world.run("login", *args, DBGATE_ID_TOKEN="", **env)


def kept(world: World) -> Login:
    found = TokenStore(world.home).load(world.broker.url)
    assert found is not None
    return found


def issuer_of(login: Login) -> Issuer:
    return Issuer(login.issuer, login.client_id, tls_context(None))


def test_the_browser_s_login(signing_in: World, tmp_path: Path) -> None:
    done = login(signing_in, "--json", **browser(tmp_path, "alice"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "alice"
    found = principal(signing_in.broker.issuer, kept(signing_in).id_token.expose())
    assert (found.kind, found.name, found.subject) == (PrincipalKind.USER, "alice", "alice")
    assert (found.groups, found.email) == (frozenset({"developers"}), "alice@corp.example")
    assert kept(signing_in).refresh_token is not None


def test_the_broker_gets_a_token_that_verifies(signing_in: World, tmp_path: Path) -> None:
    issuer = signing_in.broker.issuer
    signing_in.broker.accepts = lambda token: accepted(issuer, token)
    login(signing_in, **browser(tmp_path, "bob"))
    shown = signing_in.run("whoami", DBGATE_ID_TOKEN="")
    assert shown.returncode == 0, shown.stderr
    forged = kept(signing_in).id_token.expose()[:-8] + "AAAAAAAA"
    assert signing_in.run("whoami", DBGATE_ID_TOKEN=forged).returncode == 3


def test_a_token_of_another_provider_is_refused(
    signing_in: World, hasty_provider: Provider, tmp_path: Path
) -> None:
    login(signing_in, **browser(tmp_path, "alice"))
    token = kept(signing_in).id_token.expose()
    assert accepted(signing_in.broker.issuer, token)
    assert not accepted(hasty_provider.url, token)


@pytest.mark.parametrize(("person", "consent"), [("alice", "no"), ("mallory", "yes")])
def test_a_login_that_is_refused_is_not_signed_in(
    signing_in: World, tmp_path: Path, person: str, consent: str
) -> None:
    done = login(signing_in, **browser(tmp_path, person, consent))
    assert done.returncode == 3
    assert "the person said no" in done.stderr
    assert TokenStore(signing_in.home).load(signing_in.broker.url) is None


@pytest.mark.parametrize(("consent", "code"), [("yes", 0), ("no", 3)])
def test_the_device_login(signing_in: World, consent: str, code: int) -> None:
    process = signing_in.start("login", "--device", "--json", DBGATE_ID_TOKEN="")
    assert process.stderr is not None
    address = ""
    while not address:
        line = process.stderr.readline()
        assert line, "no address was shown"
        address = line.partition("or open ")[2].strip()
    browse(address, "bob", consent)
    out, err = process.communicate(timeout=40)
    assert process.returncode == code, err
    if code == 0:
        assert json.loads(out)["name"] == "bob"
        found = principal(signing_in.broker.issuer, kept(signing_in).id_token.expose())
        assert (found.name, found.groups) == ("bob", frozenset({"dba"}))


def test_a_login_is_renewed_and_rotation_survives(
    world: World, hasty_provider: Provider, tmp_path: Path
) -> None:
    issuer = world.broker.issuer = hasty_provider.url
    world.broker.accepts = lambda token: accepted(issuer, token)
    assert login(world, **browser(tmp_path, "alice")).returncode == 0
    seen = {kept(world).refresh_token}
    for _ in range(2):
        shown = world.run("whoami", DBGATE_ID_TOKEN="")
        assert shown.returncode == 0, shown.stderr
        seen.add(kept(world).refresh_token)
    assert len(seen) == 3
    together = [world.start("whoami", DBGATE_ID_TOKEN="") for _ in range(3)]
    for process in together:
        process.communicate(timeout=20)
    assert [process.returncode for process in together] == [0, 0, 0]


def test_a_refresh_token_that_is_used_twice_ends_the_login(
    signing_in: World, tmp_path: Path
) -> None:
    login(signing_in, **browser(tmp_path, "alice"))
    first = kept(signing_in)
    second = refreshed(issuer_of(first), first)
    for stale in (first, second):
        with pytest.raises(NotSignedIn, match="invalid_grant"):
            refreshed(issuer_of(stale), stale)


def test_logout_revokes_at_the_provider(signing_in: World, tmp_path: Path) -> None:
    login(signing_in, **browser(tmp_path, "alice"))
    before = kept(signing_in)
    done = signing_in.run("logout", DBGATE_ID_TOKEN="")
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(NotSignedIn, match="invalid_grant"):
        refreshed(issuer_of(before), before)


def test_as_is_refused_where_the_provider_asks(signing_in: World) -> None:
    done = login(signing_in, "--as", "alice")
    assert done.returncode == 2
    assert "developer mode" in done.stderr


def test_no_token_is_printed(signing_in: World, tmp_path: Path) -> None:
    done = login(signing_in, **browser(tmp_path, "alice"))
    found = kept(signing_in)
    assert found.refresh_token is not None
    for secret in (found.id_token, found.refresh_token):
        assert secret.expose() not in done.stdout + done.stderr
