"""Where a login is kept: a real keyring, else memory, a file only when it is asked for."""

from __future__ import annotations

import contextlib
import json
import stat
import threading
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import KeyringLocked, NoKeyringError, PasswordDeleteError

from dbgate_cli import token_store
from dbgate_cli.token_store import Login, Place, TokenStore, memory_folder, real_keyring
from dbgate_core.errors import NotSignedIn, UsageError
from dbgate_core.secret import Secret

BROKER = "https://broker:8443"
LOGIN = Login("https://sso", "dbgate", Secret("id.token.x"), Secret("refresh-x"))


class Keyring(KeyringBackend):
    """A keyring service of the test's own, that can be locked."""

    level: ClassVar[float] = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    @properties.classproperty
    def priority(cls) -> float:
        return cls.level

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("none")

    def _check(self) -> None:
        if self.locked:
            raise KeyringLocked("locked")


Keyring.__module__ = "keyring.backends.of_the_test"


class PlainFile(Keyring):
    """As keyrings.alt has: the name of a keyring, and plain text underneath."""


PlainFile.__module__ = "keyrings.alt.file"


class Weak(Keyring):
    """keyring's own mark of a backend that is not recommended."""

    level = 0.5


Weak.__module__ = "keyring.backends.weak"


@pytest.fixture
def service() -> Keyring:
    return Keyring()


@pytest.fixture
def store(tmp_path: Path, service: Keyring) -> TokenStore:
    memory = tmp_path / "shm"
    memory.mkdir(mode=0o700)
    return TokenStore(tmp_path / "home", keyring=lambda: service, memory=lambda: memory)


def same(left: Login | None, right: Login) -> bool:
    return left is not None and left.dump() == right.dump()


def files(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_the_keyring_is_taken_when_there_is_one(
    store: TokenStore, service: Keyring, tmp_path: Path
) -> None:
    assert store.save(BROKER, LOGIN) is Place.KEYRING
    assert store.place(BROKER) is Place.KEYRING
    assert same(store.load(BROKER), LOGIN)
    assert not [
        text for text in files(tmp_path).values() if "refresh-x" in text or "id.token" in text
    ]
    assert store.remove(BROKER)
    assert not service.kept
    assert store.load(BROKER) is None


def test_without_a_keyring_it_is_memory_and_never_the_disk(tmp_path: Path) -> None:
    memory = tmp_path / "shm"
    memory.mkdir(mode=0o700)
    home = tmp_path / "home"
    store = TokenStore(home, keyring=lambda: None, memory=lambda: memory)
    assert store.save(BROKER, LOGIN) is Place.MEMORY
    assert same(store.load(BROKER), LOGIN)
    assert not [text for text in files(home).values() if "refresh-x" in text]
    (kept,) = memory.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    nowhere = TokenStore(tmp_path / "other", keyring=lambda: None, memory=lambda: None)
    with pytest.raises(UsageError, match="cannot be kept"):
        nowhere.save(BROKER, LOGIN)


def test_the_disk_only_when_it_is_asked_for(store: TokenStore, tmp_path: Path) -> None:
    assert store.save(BROKER, LOGIN, Place.FILE) is Place.FILE
    (kept,) = (tmp_path / "home" / "logins").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert same(store.load(BROKER), LOGIN)


def test_a_login_that_moves_leaves_nothing_behind(
    store: TokenStore, service: Keyring, tmp_path: Path
) -> None:
    store.save(BROKER, LOGIN, Place.FILE)
    store.save(BROKER, LOGIN)
    assert not [text for text in files(tmp_path).values() if "refresh-x" in text]
    store.save(BROKER, LOGIN, Place.MEMORY)
    assert not service.kept


def test_a_locked_keyring_is_said_and_not_worked_around(
    store: TokenStore, service: Keyring
) -> None:
    store.save(BROKER, LOGIN)
    service.locked = True
    with pytest.raises(NotSignedIn) as caught:
        store.load(BROKER)
    assert "unlock the keyring" in caught.value.hint
    assert store.save(BROKER, LOGIN) is Place.MEMORY
    with pytest.raises(UsageError):
        store.save(BROKER, LOGIN, Place.KEYRING)


def test_a_keyring_that_hangs_does_not_hang_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_store, "KEYRING_TIMEOUT_S", 0.05)
    released = threading.Event()

    def hang() -> None:
        released.wait(30)

    store = TokenStore(tmp_path, keyring=hang, memory=lambda: None)
    with pytest.raises(UsageError):
        store.save(BROKER, LOGIN)
    released.set()


def test_homes_and_brokers_do_not_share(tmp_path: Path, service: Keyring) -> None:
    one, two = (TokenStore(tmp_path / n, keyring=lambda: service) for n in ("one", "two"))
    one.save(BROKER, LOGIN)
    one.save("https://other", Login("https://sso", "dbgate", Secret("second")))
    two.save(BROKER, Login("https://sso", "dbgate", Secret("third")))
    assert len(service.kept) == 3
    assert same(one.load(BROKER), LOGIN)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_not_believed(
    store: TokenStore, tmp_path: Path, mode: int
) -> None:
    store.save(BROKER, LOGIN, Place.FILE)
    (kept,) = (tmp_path / "home" / "logins").iterdir()
    kept.chmod(mode)
    assert store.load(BROKER) is None


def test_a_link_in_its_place_is_not_followed(store: TokenStore, tmp_path: Path) -> None:
    store.save(BROKER, LOGIN, Place.MEMORY)
    (kept,) = (tmp_path / "shm").iterdir()
    elsewhere = tmp_path / "elsewhere"
    kept.rename(elsewhere)
    kept.symlink_to(elsewhere)
    assert store.load(BROKER) is None
    store.save(BROKER, Login("https://sso", "dbgate", Secret("new")), Place.MEMORY)
    assert "new" not in elsewhere.read_text()


@pytest.mark.parametrize(
    ("kind", "good"), [(Keyring, True), (PlainFile, False), (Weak, False)], ids=lambda v: str(v)
)
def test_only_a_real_keyring_is_one(
    monkeypatch: pytest.MonkeyPatch, kind: type[Keyring], good: bool
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", kind)
    assert (real_keyring() is not None) is good


@pytest.mark.parametrize("error", [NoKeyringError("none"), RuntimeError("no bus"), TypeError("x")])
def test_no_keyring_is_no_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert real_keyring() is None


def test_a_shared_folder_on_tmpfs_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(token_store, "_on_tmpfs", lambda path: path == tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "dbgate"
    assert memory_folder() == folder
    folder.chmod(0o755)
    assert memory_folder() is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert memory_folder() is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", '["https://broker:8443"]', '{"https://broker:8443": [1]}']
)
def test_a_broken_index_is_an_empty_one(store: TokenStore, tmp_path: Path, text: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / token_store.INDEX_NAME).write_text(text)
    assert store.load(BROKER) is None
    assert store.save(BROKER, LOGIN) is Place.KEYRING


@given(st.text(), st.text(), st.text(min_size=1), st.none() | st.text(min_size=1))
def test_a_login_is_read_as_it_was_written(
    issuer: str, client: str, id_token: str, refresh: str | None
) -> None:
    login = Login(issuer, client, Secret(id_token), Secret(refresh) if refresh else None)
    found = Login.parse(login.dump())
    assert found == login


@given(
    st.text(max_size=40)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=6).map(json.dumps)
)
def test_a_login_that_cannot_be_read_asks_for_a_new_one(text: str) -> None:
    with contextlib.suppress(NotSignedIn):
        assert isinstance(Login.parse(text), Login)
