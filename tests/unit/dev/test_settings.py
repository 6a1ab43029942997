"""What developer mode writes for the broker and for Vault says what docs and broker expect."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from dbgate_broker.config import load
from dbgate_broker.dev import openbao, people, settings, vault_setup
from dbgate_broker.dev.access import LEVELS, AccessRoles
from dbgate_broker.dev.accounts import Account, reaches
from dbgate_broker.dev.databases import Governed
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.ports import Ports
from dbgate_broker.identity.mapping import principal
from dbgate_core.errors import UsageError
from dbgate_core.principal import PrincipalKind
from dbgate_core.secret import Secret

DOCS = (Path(__file__).parents[3] / "docs" / "vault.md").read_text()
PORTS = Ports(1, 2, 3, 4, 5, 6)


def governed(name: str = "prod-db", ca_file: Path | None = None, host: str = "127.0.0.1") -> Governed:  # fmt: skip
    tls = "verify-full" if ca_file else "disable"
    roles = AccessRoles.of(name)
    return Governed(name, "production", host, 5432, "sh op", tls, ca_file, roles, Secret("pw"))


def block(mark: str) -> str:
    found = re.search(rf"^(?:--|#) {mark}\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    assert found, f"docs/vault.md has no block {mark}"
    return found[1].strip()


def words(text: str) -> list[str]:
    return text.split()


def in_docs(text: str) -> str:
    return text.replace("dbgate_prod_db_", "app_")


def test_the_policy_is_the_documented_one() -> None:
    assert words(vault_setup.policy([governed()])) == words(block("policy"))


def test_the_creation_statements_are_the_documented_ones() -> None:
    roles = AccessRoles.of("prod-db")
    assert words(in_docs("\n".join(roles.creation("readonly")))) == words(block("creation"))
    assert words(in_docs("\n".join(roles.creation("admin")))) == words(block("creation of owners"))


def test_the_revocation_statements_are_the_documented_ones() -> None:
    (statement,) = AccessRoles.of("prod-db").revocation()
    assert words(in_docs(statement)) == words(block("revocation"))


@pytest.mark.parametrize("folder", ["plain", 'quo"te \\ back', "späce ${x} %{y}", "tab\tand'"])
def test_the_configuration_is_read_as_it_was_meant(tmp_path: Path, folder: str) -> None:
    home = Home(tmp_path / folder)
    home.make()
    access = vault_setup.Access("role-id", home.secret("sid"))
    databases = [governed("prod-db", home.ca_file), governed("shop", host="::1")]
    settings.write(home, PORTS, access, databases, tmp_path / "policy")
    config = load(home.configuration)
    assert home.configuration.stat().st_mode & 0o777 == 0o600
    assert config.audit.directory == home.root / "audit"
    assert config.state_url == f"sqlite:///{home.root}/state.db"
    assert [d.name for d in config.databases] == ["prod-db", "shop"]
    assert config.databases[0].ca_file == home.ca_file
    assert config.databases[1].tls == "disable"
    assert [r.name for r in config.databases[0].access_roles] == list(LEVELS)
    assert config.issuers[0].algorithms == ("ES256",)
    assert "pw" not in home.configuration.read_text().replace("sh op", "")


def test_the_identities_are_who_they_should_be(tmp_path: Path) -> None:
    home = Home(tmp_path / "dev")
    home.make()
    settings.write(home, PORTS, vault_setup.Access("r", home.secret("s")), [governed()], tmp_path)
    issuer = load(home.configuration).issuers[0]
    scopes = frozenset({"profile", "email", "groups"})
    found = {n: principal(i.claims(scopes), issuer) for n, i in people.TOKEN_FILES.items()}
    users = {name: found[name].groups for name in ("alice", "bob", "carol", "dave")}
    assert users == {
        "alice": {"developers"},
        "bob": {"dba"},
        "carol": {"auditors"},
        "dave": frozenset(),
    }
    assert all(found[name].kind is PrincipalKind.USER for name in users)
    ci, copilot = found["ci"], found["copilot"]
    assert (ci.kind, ci.name, ci.groups) == (PrincipalKind.WORKLOAD, "ci", frozenset({"ci"}))
    assert (copilot.kind, copilot.name, copilot.groups) == (PrincipalKind.AGENT, "copilot", frozenset({"agents"}))  # fmt: skip
    assert copilot.on_behalf_of == found["alice"]


def test_nobody_signs_in_as_the_job_or_the_agent() -> None:
    assert people.person("ci") is None
    assert people.person("copilot") is None
    alice = people.person("alice")
    assert alice is not None
    assert not {"act", "workload"} & alice.claims(frozenset({"profile", "groups"})).keys()


def test_openbaos_way_to_a_database_verifies_and_holds_no_password(tmp_path: Path) -> None:
    url = vault_setup.connection_url(governed(ca_file=tmp_path / "a b" / "ca.pem"))
    assert url.startswith("postgresql://{{username}}:{{password}}@127.0.0.1:5432/")
    assert "sslmode=verify-full" in url
    assert "a%20b" in url
    assert "/sh%20op?" in url
    assert "@[::1]:5432/" in vault_setup.connection_url(governed(host="::1"))
    assert "pw" not in url


def test_openbaos_configuration_holds_no_secret(tmp_path: Path) -> None:
    text = openbao.configuration(Home(tmp_path / "x${y}"), PORTS)
    assert "x$${y}" in text
    assert "tls_disable = true" in text
    assert text.count("127.0.0.1") == 4


@pytest.mark.parametrize("name", ["", "--", "é", "x" * 41])
def test_a_name_that_makes_no_role_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        AccessRoles.of(name)


def test_role_names_are_plain_and_short_enough_for_postgresql() -> None:
    roles = AccessRoles.of("My-Shop.2" + "x" * 31)
    for name in (roles.readonly, roles.readwrite, roles.admin, roles.vault):
        assert re.fullmatch(r"[a-z0-9_]{1,63}", name)


def test_an_account_reaches_only_what_every_folder_lets_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    stranger = Account(54321, 54321)
    for folder in (tmp_path, tmp_path / "a"):
        folder.chmod(0o711)
    outside = all(parent.stat().st_mode & 1 for parent in tmp_path.parents)
    assert reaches(stranger, inner) == outside
    (tmp_path / "a").chmod(0o700)
    assert not reaches(stranger, inner)
    assert reaches(None, inner)
    shutil.rmtree(tmp_path / "a")
