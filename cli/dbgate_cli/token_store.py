"""Where a login is kept: the OS keyring, else memory for this boot, else (if asked for) a file.

- `keyring`: a real backend only. A `keyrings.alt` backend writes plaintext files under the name
  of a keyring and is not taken; nor is any of a priority below 1.
- `memory`: a 0600 file in a 0700 folder of ours on tmpfs (`$XDG_RUNTIME_DIR`, `/dev/shm`); it
  does not survive a boot.
- `file`: a 0600 file on disk under DBGATE_HOME, only after `dbgate login --store file`.

`logins.json` in DBGATE_HOME remembers which store holds which broker's login (no secret), so
that the slow keyring is asked only when it has something.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeVar

from dbgate_core.errors import NotSignedIn, UsageError
from dbgate_core.secret import Secret

KEYRING_TIMEOUT_S: Final = 3.0
"""A locked or hanging keyring service must not hang the command line."""
SERVICE: Final = "dbgate"
INDEX_NAME: Final = "logins.json"

_T = TypeVar("_T")


class Place(StrEnum):
    """The stores, by the names that `whoami` shows and `--store` takes."""

    KEYRING = "keyring"
    MEMORY = "memory"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Login:
    """A login at a broker: who issued it, to which client, and its tokens."""

    issuer: str
    client_id: str
    id_token: Secret
    refresh_token: Secret | None = None

    def dump(self) -> str:
        """Serialise, secrets included: for a store alone."""
        refresh = self.refresh_token.expose() if self.refresh_token else ""
        return json.dumps([self.issuer, self.client_id, self.id_token.expose(), refresh])

    @classmethod
    def parse(cls, text: str) -> Login:
        """Read what `dump` wrote. Raises NotSignedIn when it is something else."""
        try:
            issuer, client_id, id_token, refresh = map(str, json.loads(text))
        except (ValueError, TypeError) as exc:
            raise NotSignedIn("the stored login cannot be read", hint="dbgate login") from exc
        return cls(issuer, client_id, Secret(id_token), Secret(refresh) if refresh else None)


class KeyringBackend(Protocol):
    """The part of `keyring.backend.KeyringBackend` that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Give a password, None when there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""


class TokenStore:
    """The logins of one DBGATE_HOME, one a broker."""

    def __init__(
        self,
        home: Path,
        *,
        keyring: Callable[[], KeyringBackend | None] | None = None,
        memory: Callable[[], Path | None] | None = None,
    ) -> None:
        self._home = home
        self._keyring = keyring or real_keyring
        self._memory = memory or memory_folder

    def load(self, broker: str) -> Login | None:
        """Give the login at a broker, None when there is none."""
        place = self.place(broker)
        if place is None:
            return None
        text = self._read(place, broker)
        return Login.parse(text) if text else None

    def save(self, broker: str, login: Login, place: Place | None = None) -> Place:
        """Keep a login; give the place.

        `place` None takes the first that works of keyring and memory, never the disk. Raises
        UsageError when none does, or the chosen one does not. A login kept elsewhere is removed.
        """
        old = self.place(broker)
        for candidate in [place] if place else [Place.KEYRING, Place.MEMORY]:
            if self._write(candidate, broker, login.dump()):
                if old is not None and old is not candidate:
                    self._erase(old, broker)
                self._remember(broker, candidate)
                return candidate
        raise UsageError(
            f"the login cannot be kept: {place or 'no OS keyring, and no memory file system'}",
            hint="dbgate login --store file keeps it in a file on disk",
        )

    def remove(self, broker: str) -> bool:
        """Forget the login at a broker; whether there was one."""
        place = self.place(broker)
        if place is not None:
            self._erase(place, broker)
            self._remember(broker, None)
        return place is not None

    def place(self, broker: str) -> Place | None:
        """Where the login at a broker is kept, None when there is none."""
        value = self._index().get(broker)
        return Place(value) if value in list(Place) else None

    def _read(self, place: Place, broker: str) -> str | None:
        key = self._key(broker)
        if place is Place.KEYRING:
            backend = _within(self._keyring, None)
            answer = (
                _within(lambda: (backend.get_password(SERVICE, key),), None) if backend else None
            )
            if answer is None:
                raise NotSignedIn(
                    "the login is in the OS keyring, which does not answer",
                    hint="unlock the keyring, or dbgate login --store memory",
                )
            return answer[0]
        path = self._path(place, key)
        try:
            if path is None or not _private(path):
                return None
            return path.read_text()
        except OSError:
            return None

    def _write(self, place: Place, broker: str, text: str) -> bool:
        key = self._key(broker)
        if place is Place.KEYRING:
            backend = _within(self._keyring, None)
            return backend is not None and _within(lambda: _keep(backend, key, text), False)
        path = self._path(place, key)
        if path is None:
            return False
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, text)
        return True

    def _erase(self, place: Place, broker: str) -> None:
        key = self._key(broker)
        if place is Place.KEYRING:
            backend = _within(self._keyring, None)
            if backend is not None:
                _within(lambda: backend.delete_password(SERVICE, key), None)
        elif (path := self._path(place, key)) is not None:
            path.unlink(missing_ok=True)

    def _key(self, broker: str) -> str:
        """Homes do not share logins: DBGATE_HOME moves all of the command line's state."""
        name = f"{self._home.absolute()}\n{broker}"
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    def _path(self, place: Place, key: str) -> Path | None:
        folder = self._memory() if place is Place.MEMORY else self._home / "logins"
        return folder / key if folder else None

    def _index(self) -> dict[str, str]:
        try:
            value = json.loads((self._home / INDEX_NAME).read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _remember(self, broker: str, place: Place | None) -> None:
        index = {k: v for k, v in self._index().items() if k != broker}
        if place is not None:
            index[broker] = place.value
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self._home / INDEX_NAME, json.dumps(index))


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file: beside, then renamed over, so that nobody reads a half."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _private(path: Path) -> bool:
    """Whether a file is a plain one, ours, and closed to everybody else."""
    found = path.lstat()
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )


def memory_folder() -> Path | None:
    """A private folder on tmpfs, made when missing; None when there is no safe one.

    The parents are open to other users (`/dev/shm` is), so a folder that is not ours, is a link,
    or lets others in is not taken.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    parents = [(Path(runtime), "dbgate")] if runtime else []
    for parent, name in [*parents, (Path("/dev/shm"), f"dbgate-{os.geteuid()}")]:  # noqa: S108
        if not _on_tmpfs(parent):
            continue
        folder = parent / name
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError:
            continue
        mine = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
        if stat.S_ISDIR(found.st_mode) and mine:
            return folder
    return None


def _on_tmpfs(path: Path) -> bool:
    """Whether a folder is on a memory file system (proc(5), mountinfo: fields 5 and, after `-`, 1)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        real = path.resolve(strict=True)
    except OSError:
        return False
    best, kind = -1, ""
    for line in lines:
        mount, _, rest = line.partition(" - ")
        point = Path(mount.split()[4])
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split()[0]
    return kind in ("tmpfs", "ramfs")


def real_keyring() -> KeyringBackend | None:
    """The best OS keyring backend that really is one; None when there is none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        backend = keyring.get_keyring()
        candidates = [backend, *getattr(backend, "backends", [])]
        for candidate in candidates:
            root = type(candidate).__module__.partition(".backends")[0]
            chained = hasattr(candidate, "backends")
            if root == "keyring" and not chained and float(candidate.priority) >= 1:
                found: KeyringBackend = candidate
                return found
    except (KeyringError, RuntimeError, AttributeError, TypeError):
        return None
    return None


def _keep(backend: KeyringBackend, key: str, text: str) -> bool:
    backend.set_password(SERVICE, key, text)
    return backend.get_password(SERVICE, key) == text


def _within(call: Callable[[], _T], otherwise: _T) -> _T:
    """The result of a keyring call, or `otherwise` when it fails or passes its deadline."""
    results: list[_T] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception:  # backends raise whatever their services do
            return

    thread = threading.Thread(target=work, daemon=True, name="keyring")
    thread.start()
    thread.join(KEYRING_TIMEOUT_S)
    return results[0] if results else otherwise
