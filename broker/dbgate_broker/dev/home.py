"""The home of developer mode: one folder that holds everything, and one process that owns it.

dev.lock            locked while developer mode runs; the text in it is its process id
ports.json          the ports of the last start, so that clients' profiles go on working
ca/                 the local certificate authority and the broker's certificate
secrets/            passwords and keys, each of mode 0600
identities/         an ID token a person, written anew before it expires
run/                process ids, to end what a crash left behind
log/                what each part says
postgresql/ openbao/ audit/ state.db
broker.toml         the broker's configuration, written at every start
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dbgate_core.errors import UsageError

FOLDERS: Final = ("ca", "secrets", "identities", "run", "log", "openbao", "issuer")


@dataclass(frozen=True, slots=True)
class Home:
    """The paths in a home. `root` is absolute."""

    root: Path

    @property
    def ca_file(self) -> Path:
        """The certificate that clients trust."""
        return self.root / "ca" / "ca.pem"

    @property
    def configuration(self) -> Path:
        """The broker's configuration."""
        return self.root / "broker.toml"

    def secret(self, name: str) -> Path:
        """The file of a password or key."""
        return self.root / "secrets" / name

    def identity(self, name: str) -> Path:
        """The file of a person's ID token."""
        return self.root / "identities" / f"{name}.jwt"

    def log(self, name: str) -> Path:
        """The log of a part."""
        return self.root / "log" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """Where the process id of a part is kept."""
        return self.root / "run" / f"{name}.pid"

    def make(self) -> None:
        """Make the folders that are missing. Raises UsageError when that cannot be done.

        Root's home is passable (0711), since PostgreSQL runs as somebody else there; what is in
        it is not.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for name in FOLDERS:
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise UsageError(
                f"cannot make the home {self.root}: {exc.strerror}",
                hint="dbgate dev --home with a folder that you may write to",
            ) from exc

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own the home. Raises UsageError at once when another process does."""
        with (self.root / "dev.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                file.seek(0)
                owner = file.read(20).strip() or "unknown"
                raise UsageError(
                    f"developer mode already runs in {self.root} (process {owner})",
                    hint="end it first, or give another folder with --home",
                ) from exc
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield
