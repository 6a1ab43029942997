"""Policy folders and case files, read for the offline commands of `dbgate policy`."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dbgate_cli import console
from dbgate_core.errors import UsageError

if TYPE_CHECKING:
    from dbgate_core.policy import Policies

MAX_BYTES: Final = 1 << 20
"""Of one file: four times what a policy file may hold in characters."""
CASES: Final = "tests"
"""The subfolder of a policy folder that holds its cases."""
_NEEDED: Final = ("cedarpy", "postgast", "sqlglot")


def demand_judge() -> None:
    """Raise UsageError when what judges statements and reads Cedar is not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"this command judges by itself, and {', '.join(missing)} is not installed here",
            hint="pip install 'dbgate[broker]'",
        )


def load(folders: Sequence[Path]) -> Policies:
    """The rules of the folders, taken together. Raises Unusable with all mistakes."""
    demand_judge()
    from dbgate_core.policy import Policies
    from dbgate_core.policy.folder import SCHEMA

    texts: dict[str, str] = {}
    for folder in map(resolved, folders):
        for path in _rules(folder):
            shown = str(path) if len(folders) > 1 else path.name
            texts[shown] = text_of(path)
    return Policies.load(texts, text_of(root() / SCHEMA))


def of_text(text: str) -> Policies:
    """The rules of one text. Raises Unusable with all mistakes."""
    from dbgate_core.policy import Policies
    from dbgate_core.policy.folder import SCHEMA

    return Policies.load({"suggested.cedar": text}, text_of(root() / SCHEMA))


def usable(folders: Sequence[Path]) -> Policies:
    """The same; the mistakes are told on standard error, one a line."""
    try:
        return load(folders)
    except UsageError as exc:
        raise listed(folders, exc) from exc


def listed(folders: Sequence[Path], error: UsageError) -> UsageError:
    """The error of a set with mistakes, after each was told; any other as it is."""
    mistakes = mistakes_of(error)
    for mistake in mistakes:
        console.note(mistake)
    return counted(folders, mistakes) if mistakes else error


def counted(folders: Sequence[Path], mistakes: Sequence[str]) -> UsageError:
    """The error of a set whose mistakes were told."""
    where = ", ".join(map(str, folders))
    return UsageError(
        f"{where}: {len(mistakes)} mistakes, so none of it is used",
        hint="docs/policy.md says how rules are made",
    )


def mistakes_of(error: UsageError) -> tuple[str, ...]:
    """What is wrong with a set, if that is what the error is about."""
    from dbgate_core.policy.loading import Unusable

    return error.mistakes if isinstance(error, Unusable) else ()


def resolved(folder: Path) -> Path:
    """The folder; a bare name that is none here stands for a shipped one (`default`, `packs/ci`)."""
    if not folder.exists() and not folder.is_absolute() and ".." not in folder.parts:
        shipped = root() / folder
        return shipped if shipped.is_dir() else folder
    return folder


def case_files(folders: Sequence[Path]) -> list[Path]:
    """The case files of the folders: `tests/*.toml` in each. Raises UsageError when there is none."""
    found = [
        path for folder in folders for path in sorted((resolved(folder) / CASES).glob("*.toml"))
    ]
    if not found:
        where = " or ".join(str(folder / CASES) for folder in folders)
        raise UsageError(
            f"there is no case file in {where}",
            hint="docs/policy.md says how cases are written; --cases names a file elsewhere",
        )
    return found


def text_of(path: Path) -> str:
    """A file's text. Raises UsageError when it cannot be read, is too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES} bytes")
        return data.decode("utf-8")
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{path} is not UTF-8 text") from exc


def root() -> Path:
    """The folder of what is shipped: of a checkout, else of the installation."""
    installed = Path("share") / "dbgate" / "policies"
    places = [
        Path(__file__).parents[2] / "policies",
        *(Path(base) / installed for base in (sysconfig.get_path("data"), sys.prefix)),
        Path(site.getuserbase()) / installed,
    ]
    for place in places:
        if (place / "schema.cedarschema").is_file():
            return place
    raise UsageError("the shipped policies are missing", hint="reinstall dbgate")


def _rules(folder: Path) -> list[Path]:
    from dbgate_core.policy.folder import rule_files

    try:
        names = [path.name for path in folder.iterdir() if not path.is_dir()]
    except OSError as exc:
        raise UsageError(
            f"cannot read the policy folder {folder}: {exc.strerror}",
            hint="a folder of .cedar files, or a shipped one: default, permissive, packs/agents",
        ) from exc
    return [folder / name for name in rule_files(str(folder), names)]
