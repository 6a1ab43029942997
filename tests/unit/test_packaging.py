"""The wheel holds what it must, and the light install needs no server part."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_config_var

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = {"dbgate_cli": "cli", "dbgate_core": "broker", "dbgate_broker": "broker"}

LIGHT = """
import importlib, sys
banned = set(sys.argv[1].split())

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in banned:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
"""
IMPORT = LIGHT + "for module in sys.argv[2:]:\n    importlib.import_module(module)\n"
LOADED = """
import contextlib, sys
from dbgate_cli.app import run
with contextlib.suppress(SystemExit):
    run(sys.argv[1:])
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
RUN = LIGHT + "from dbgate_cli.app import run\nsys.exit(run(sys.argv[2:]))\n"


def server_modules() -> set[str]:
    """What only the extras bring."""
    names = (
        d.partition(">")[0].partition("=")[0] for d in PROJECT["optional-dependencies"]["broker"]
    )
    return {name.partition("[")[0].replace("-", "_") for name in names}


def light(text: str, without: set[str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, " ".join(without), *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def import_light(*modules: str) -> subprocess.CompletedProcess[str]:
    return light(IMPORT, server_modules() | {"dbgate_broker"}, *modules)


def modules_of(folder: str, package: str) -> list[str]:
    base = ROOT / folder
    return sorted(
        ".".join(path.relative_to(base).with_suffix("").parts)
        for path in (base / package).rglob("*.py")
        if path.name != "__init__.py"
    )


def test_the_whole_command_line_imports_without_the_server_s_parts() -> None:
    done = import_light(*modules_of("cli", "dbgate_cli"))
    assert done.returncode == 0, done.stderr


def test_a_command_starts_without_pydantic() -> None:
    command = [sys.executable, "-c", LOADED, "query", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "typer" in done.stderr.split()
    assert "pydantic" not in done.stderr.split()


def test_the_oldest_msgspec_that_is_allowed_raises_value_errors() -> None:
    # What reads a damaged log relies on it; it is so from 0.21 on.
    oldest = next(d for d in PROJECT["dependencies"] if d.startswith("msgspec"))
    assert tuple(map(int, oldest.partition(">=")[2].split("."))) >= (0, 21)
    assert issubclass(msgspec.DecodeError, ValueError)


def test_verification_imports_without_the_server_s_parts() -> None:
    done = import_light(*modules_of("broker", "dbgate_core/audit"), "dbgate_core.contract")
    assert done.returncode == 0, done.stderr


def test_the_check_sees_a_server_part() -> None:
    assert {"sqlalchemy", "joserfc", "psycopg", "cedarpy"} < server_modules()
    assert import_light("sqlalchemy").returncode == 1


@pytest.mark.parametrize(
    "argv", [["serve", "--config", "x.toml"], ["dev", "--home", "/nonexistent"]], ids=lambda a: a[0]
)
def test_a_light_install_says_how_to_get_the_rest(argv: list[str]) -> None:
    done = light(RUN, server_modules(), *argv)
    assert done.returncode == 2, done.stderr
    assert "hint: pip install 'dbgate[" in done.stderr


def test_the_broker_s_own_command_says_so_too() -> None:
    program = LIGHT + "from dbgate_broker.__main__ import main\nmain(sys.argv[2:])\n"
    done = light(program, server_modules(), "--config", "x.toml")
    assert done.returncode == 2, done.stderr
    assert "hint: pip install 'dbgate[broker]'" in done.stderr


def build_wheel(source: Path, out: Path, **environment: str) -> tuple[Path, str]:
    """The wheel, and what the build said."""
    for needed in ("build", "hatchling", "Cython", "setuptools"):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: a build in isolation would need the network")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(
        [*command, str(source)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl")), done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(ROOT, tmp_path_factory.mktemp("dist"))[0])


def test_without_a_compiler_there_is_a_pure_wheel_and_a_word_about_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*cache", ".venv", ".git", ".hypothesis", "tests", "*.so")
    shutil.copytree(ROOT, source, ignore=ignored, symlinks=True)
    built, said = build_wheel(source, tmp_path / "dist", CC="/bin/false")
    assert built.name.endswith("-py3-none-any.whl")
    assert "building without the compiled module" in said
    assert not [name for name in zipfile.ZipFile(built).namelist() if name.endswith(".so")]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_with_a_compiler_there_is_a_wheel_of_this_platform(wheel: zipfile.ZipFile) -> None:
    assert not str(wheel.filename).endswith("none-any.whl")
    module = f"dbgate_core/native/_compiled{get_config_var('EXT_SUFFIX')}"
    assert module in wheel.namelist()


def test_the_wheel_holds_the_three_packages(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for package, folder in PACKAGES.items():
        assert f"{package}/py.typed" in names
        sources = {
            path.relative_to(ROOT / folder).as_posix()
            for path in (ROOT / folder / package).rglob("*.py")
        }
        assert sources <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("dbgate-")} == set(PACKAGES)


def test_the_wheel_installs_policies_and_completions(wheel: zipfile.ZipFile) -> None:
    share = {
        name.partition(".data/data/share/")[2] for name in wheel.namelist() if ".data/data/" in name
    }
    assert {
        "bash-completion/completions/dbgate",
        "zsh/site-functions/_dbgate",
        "fish/vendor_completions.d/dbgate.fish",
    } <= share
    policies = {
        f"dbgate/policies/{path.relative_to(ROOT / 'policies').as_posix()}"
        for path in (ROOT / "policies").rglob("*")
        if path.is_file()
    }
    assert policies <= share


def test_the_wheel_s_metadata(wheel: zipfile.ZipFile) -> None:
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = wheel.read(name).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert len([line for line in required if "extra ==" not in line]) == len(
        PROJECT["dependencies"]
    )
    entry_points = wheel.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert "dbgate = dbgate_cli.app:main" in entry_points
    assert "License-Expression: Apache-2.0" in metadata


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (ROOT / PACKAGES[package] / package / "py.typed").exists()
