"""login, refresh, whoami, logout: against an issuer that checks what it is sent."""

from __future__ import annotations

import json
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dbgate_cli.token_store import Place, TokenStore, memory_folder
from tests.integration.cli.conftest import World
from tests.integration.cli.fake_issuer import FakeIssuer


@pytest.fixture
def browser(tmp_path: Path) -> str:
    """A browser that follows redirects and keeps cookies, as $BROWSER names it."""
    code = (
        "import sys, urllib.request as u\n"
        "u.build_opener(u.HTTPCookieProcessor()).open(sys.argv[1], timeout=10).read()\n"
    )
    script = tmp_path / "browser"  # not by `#!`: the interpreter's path may hold spaces
    script.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", code])} "$1"\n')
    script.chmod(0o755)
    return str(script)


def login(world: World, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return world.run("login", *args, DBGATE_ID_TOKEN="", **env)


def secrets_of(issuer: FakeIssuer) -> list[str]:
    return [*issuer.refresh, *issuer.used, "device-code-secret"]


def stored(world: World) -> str:
    """The ID token that the command line keeps."""
    found = TokenStore(world.home).load(world.broker.url)
    assert found is not None
    return found.id_token.expose()


def test_the_browser_s_login_is_pkce_with_state_and_nonce(
    world: World, issuer: FakeIssuer, browser: str
) -> None:
    done = login(world, BROWSER=browser)
    assert done.returncode == 0, done.stderr
    assert "alice" in done.stdout
    asked = issuer.requests[0]
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert asked["scope"] == "openid profile offline_access"
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 32
    for secret in secrets_of(issuer):
        assert secret not in done.stdout + done.stderr


def test_as_signs_in_without_a_browser_and_whoami_names_the_store(
    world: World, issuer: FakeIssuer
) -> None:
    done = login(world, "--as", "bob", "--json")
    assert json.loads(done.stdout)["name"] == "bob", done.stderr
    world.broker.token = stored(world)
    shown = world.run("whoami", "--json", DBGATE_ID_TOKEN="")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["store"] == "memory"
    assert "DBGATE_ID_TOKEN" in world.run("whoami", DBGATE_ID_TOKEN=world.broker.token).stdout


def test_a_login_is_kept_privately_in_memory_and_not_on_disk(
    world: World, issuer: FakeIssuer
) -> None:
    login(world, "--as", "alice")
    folder = memory_folder()
    assert folder is not None
    found = [p for p in folder.iterdir() if next(iter(issuer.refresh)) in p.read_text()]
    assert [stat.S_IMODE(p.stat().st_mode) for p in found] == [0o600]
    on_disk = [p.read_text() for p in world.home.rglob("*") if p.is_file()]
    assert not [text for text in on_disk if next(iter(issuer.refresh)) in text]
    world.run("logout", DBGATE_ID_TOKEN="")


def test_only_store_file_writes_to_disk(world: World, issuer: FakeIssuer) -> None:
    login(world, "--as", "alice", "--store", "file")
    files = list((world.home / "logins").iterdir())
    assert [stat.S_IMODE(p.stat().st_mode) for p in files] == [0o600]
    assert TokenStore(world.home).place(world.broker.url) is Place.FILE
    files[0].chmod(0o644)
    assert world.run("whoami", DBGATE_ID_TOKEN="").returncode == 3


def test_logout_forgets_and_revokes(world: World, issuer: FakeIssuer) -> None:
    login(world, "--as", "alice")
    kept = set(issuer.refresh)
    assert "signed out" in world.run("logout", DBGATE_ID_TOKEN="").stdout
    assert set(issuer.revoked) == kept
    done = world.run("whoami", DBGATE_ID_TOKEN="")
    assert done.returncode == 3
    assert "dbgate login" in done.stderr


def test_the_device_flow_waits_and_slows_down(world: World, issuer: FakeIssuer) -> None:
    issuer.device_answers = ["authorization_pending", "authorization_pending", "ok"]
    done = login(world, "--device")
    assert done.returncode == 0, done.stderr
    assert "ABCD-EFGH" in done.stderr
    assert "device-code-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("answer", ["access_denied", "expired_token"])
def test_a_device_login_that_is_refused_is_not_signed_in(
    world: World, issuer: FakeIssuer, answer: str
) -> None:
    issuer.device_answers = [answer]
    done = login(world, "--device")
    assert done.returncode == 3
    assert answer in done.stderr


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"aud": "someone-else"}, "not for this client"),
        ({"aud": ["dbgate", "other"]}, "another client"),
        ({"azp": "other"}, "another client"),
        ({"iss": "https://evil"}, "issued by"),
        ({"exp": 1}, "expired"),
        ({"iat": 99999999999}, "future"),
    ],
)
def test_a_wrong_id_token_is_not_kept(
    world: World, issuer: FakeIssuer, claims: dict[str, object], says: str
) -> None:
    issuer.claims = claims
    done = login(world, "--as", "alice")
    assert done.returncode == 3
    assert says in done.stderr
    assert TokenStore(world.home).load(world.broker.url) is None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"iss": "https://evil"}, "comes from"),
        ({"iss": ""}, "comes from"),
        ({"state": "another"}, "state"),
        ({"code": "", "error": "access_denied"}, "access_denied"),
        ({"code": "unknown"}, "invalid_grant"),
    ],
)
def test_a_wrong_authorization_answer_is_refused(
    world: World, issuer: FakeIssuer, answer: dict[str, str], says: str
) -> None:
    issuer.answer = answer
    done = login(world, "--as", "alice")
    assert done.returncode == 3
    assert says in done.stderr


def test_a_token_is_refreshed_before_it_ends_and_rotation_is_kept(
    world: World, issuer: FakeIssuer
) -> None:
    issuer.lifetime_s = 30
    login(world, "--as", "alice")
    first = stored(world)
    world.broker.fail = lambda method, path: None
    issuer.lifetime_s = 3600
    world.run("whoami", DBGATE_ID_TOKEN="")
    assert stored(world) != first
    assert len(issuer.used) == 1
    world.broker.token = stored(world)
    assert world.run("whoami", DBGATE_ID_TOKEN="").returncode == 0
    assert len(issuer.used) == 1


def test_many_at_once_refresh_once(world: World, issuer: FakeIssuer) -> None:
    issuer.lifetime_s = 30
    login(world, "--as", "alice")
    issuer.lifetime_s = 3600
    running = [world.start("whoami", DBGATE_ID_TOKEN="") for _ in range(4)]
    for process in running:
        process.communicate(timeout=20)
    assert len(issuer.used) == 1


def test_a_refused_refresh_asks_for_a_login(world: World, issuer: FakeIssuer) -> None:
    issuer.lifetime_s = 30
    login(world, "--as", "alice")
    issuer.refresh.clear()
    done = world.run("whoami", DBGATE_ID_TOKEN="")
    assert done.returncode == 3
    assert "dbgate login" in done.stderr


def test_a_token_file_is_used_and_read_anew(world: World, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(world.broker.token + "\n")
    env = {"DBGATE_ID_TOKEN": "", "DBGATE_ID_TOKEN_FILE": str(file)}
    assert world.run("whoami", **env).returncode == 0
    file.write_text("two words\r\nEvil: header")
    done = world.run("whoami", **env)
    assert done.returncode == 3
    assert "Evil" not in done.stderr
    assert world.run("whoami", **(env | {"DBGATE_ID_TOKEN_FILE": "/nowhere"})).returncode == 3


def test_login_can_set_the_profile(world: World, issuer: FakeIssuer) -> None:
    done = login(
        world, "--as", "alice", "--broker", world.broker.url, "--ca-file", str(world.ca_file),
        DBGATE_BROKER="", DBGATE_CA_FILE="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    world.broker.token = stored(world)
    shown = world.run("whoami", DBGATE_BROKER="", DBGATE_CA_FILE="", DBGATE_ID_TOKEN="")
    assert shown.returncode == 0, shown.stderr


def test_as_is_for_an_issuer_on_this_machine_that_signs_in_by_name(
    world: World, issuer: FakeIssuer
) -> None:
    issuer.document_extra = {"authorization_endpoint": "https://sso.example/authorize"}
    done = login(world, "--as", "alice")
    assert done.returncode == 2
    assert "developer mode" in done.stderr


def test_a_login_that_fails_does_not_change_the_profile(world: World, issuer: FakeIssuer) -> None:
    login(
        world, "--as", "alice", "--broker", world.broker.url, "--ca-file", str(world.ca_file),
        DBGATE_BROKER="", DBGATE_CA_FILE="",
    )  # fmt: skip
    before = (world.home / "config.toml").read_text()
    for url, code in (("https://127.0.0.1:1", 6), ("http://127.0.0.1:1", 2)):
        done = login(world, "--as", "alice", "--broker", url, DBGATE_BROKER="")
        assert done.returncode == code, done.stderr
    issuer.claims = {"nonce": "another"}
    failed = login(world, "--as", "alice", "--broker", world.broker.url + "/", DBGATE_BROKER="")
    assert failed.returncode == 3
    assert (world.home / "config.toml").read_text() == before


SECRET_SERVICE = ("dbus-run-session", "gnome-keyring-daemon")


def test_a_real_keyring_keeps_the_login(world: World, issuer: FakeIssuer, tmp_path: Path) -> None:
    missing = [name for name in SECRET_SERVICE if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    program = f"{sys.executable} -m dbgate_cli.app"
    script = (
        "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"
        f"{program} login --as alice --json && {program} logout --json"
    )
    env = world.env(
        DBGATE_ID_TOKEN="", XDG_DATA_HOME=str(tmp_path), PYTHON_KEYRING_BACKEND="",
        HOME=str(tmp_path),
    )  # fmt: skip
    del env["PYTHON_KEYRING_BACKEND"]
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    signed_in, signed_out = map(json.loads, done.stdout.splitlines())
    assert signed_in["store"] == "keyring"
    assert signed_out == {"signed_out": True}
    assert not [p for p in world.home.rglob("*") if p.is_file() and "refresh-" in p.read_text()]
