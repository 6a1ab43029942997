"""PostgreSQL's own regression suite: what it writes directly is what is expected through dbgate.

So a test has passed when it has run; what pg_regress expects of it is another matter.

pg_regress is the server's development package's (Debian: postgresql-server-dev-NN); its scripts and
data are in the server's source of the same major version. One test at a time, so that what one
sees of another does not depend on the clock.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.paths import Route
from tests.transparency.results import Outcome, Result, Results
from tests.transparency.server import REGRESSION
from tests.transparency.sources import Missing, Sources, fetch

RUN_S = 3600.0
REGRESS = Path("src/test/regress")
PARTS = ("sql", "data", "expected")
_RAN = re.compile(r"^(?:test |\s+)([\w.]+)\s+\.\.\. (?:ok|FAILED)", re.MULTILINE)
_DEB_SOURCE = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: {codename}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


class Regress:
    """pg_regress."""

    name = "postgres"
    dbname = REGRESSION

    def __init__(self, *tests: str) -> None:
        self._tests = tests

    def run(self, route: Route, folder: Path, sources: Sources) -> Results:
        """The whole parallel schedule, or the tests that were named after `test_setup`."""
        pkglibdir = Path(pg_config("--pkglibdir"))
        driver = pkglibdir / "pgxs" / REGRESS / "pg_regress"
        if not driver.exists():
            raise Missing("pg_regress is not installed (Debian: postgresql-server-dev-NN)")
        source = (sources.named.get(self.name) or debian_source(sources)) / REGRESS
        with tempfile.TemporaryDirectory(prefix="dbgate-regress-") as scratch:
            place = Path(scratch)
            _fill(place, source)
            library(source, pkglibdir, place)
            try:
                said = self._run(route, [driver, *self._asked(source)], place)
            finally:
                shutil.copytree(place / "results", folder / "results")
            (folder / "log").write_text(said)
            return _results(said, place)

    @staticmethod
    def _run(route: Route, command: list[str | Path], place: Path) -> str:
        command += ["--use-existing", f"--dbname={REGRESSION}", f"--dlpath={place}"]
        command += [f"--inputdir={place}", f"--outputdir={place}"]
        command += [f"--bindir={pg_config('--bindir')}", "--max-connections=1"]
        command += [f"--host={route.env['PGHOST']}", f"--port={route.env['PGPORT']}"]
        command += [f"--user={route.env['PGUSER']}"]
        done = subprocess.run(
            command,
            cwd=place,
            env=route.env,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        return done.stdout + done.stderr

    def _asked(self, source: Path) -> Sequence[str]:
        if self._tests:
            return ("test_setup", *self._tests)
        return (f"--schedule={source / 'parallel_schedule'}",)


def pg_config(option: str) -> str:
    """What the installed server was built with. Raises Missing without `pg_config`."""
    if shutil.which("pg_config") is None:
        raise Missing("pg_config is not installed (Debian: postgresql-server-dev-NN)")
    return subprocess.run(
        ["pg_config", option], capture_output=True, text=True, check=True
    ).stdout.strip()


def debian_source(sources: Sources) -> Path:
    """The source package of the server's major version, from Debian's archive. Raises Missing."""
    major = pg_config("--version").split()[1].split(".")[0]
    place = sources.kept / f"postgresql-{major}"
    if not place.is_dir():
        if shutil.which("apt-get") is None:
            raise Missing("no source of PostgreSQL; give --postgres-source DIR")
        apt = place.with_suffix(".apt")
        (apt / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (apt / "list.sources").write_text(_DEB_SOURCE.format(codename=_codename()))
        own = [
            "-o",
            f"Dir::Etc::sourcelist={apt}/list.sources",
            "-o",
            f"Dir::State::lists={apt}/lists",
        ]
        own += ["-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::Cache={apt}"]
        fetch("postgres", ["apt-get", *own, "update"])
        fetch(
            "postgres", ["apt-get", *own, "source", "--download-only", f"postgresql-{major}"], apt
        )
        place.with_suffix(".part").mkdir()
        archive = next(apt.glob("*.orig.tar.*"))
        command: list[str | Path] = [
            "tar",
            "-xf",
            archive,
            "--strip-components=1",
            "-C",
            place.with_suffix(".part"),
        ]
        fetch("postgres", command)
        place.with_suffix(".part").rename(place)
    return place


def _codename() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2]
    raise Missing("no source of PostgreSQL; give --postgres-source DIR")


def _fill(place: Path, source: Path) -> None:
    """Copy what the server itself reads and writes, in its tests' COPY, where it may."""
    for part in PARTS:
        shutil.copytree(source / part, place / part)
    shutil.copy(source / "resultmap", place)
    (place / "results").mkdir()
    for found in (place, *place.rglob("*")):
        found.chmod(0o777 if found.is_dir() else 0o666)


def library(source: Path, pkglibdir: Path, place: Path) -> None:
    """Compile the suite's C functions, and put what it loads beside them. Raises Missing."""
    include = pg_config("--includedir-server")
    command = ["cc", "-shared", "-fPIC", "-O1", f"-I{include}", f"-I{source}", "-o"]
    done = subprocess.run(
        [*command, place / "regress.so", source / "regress.c"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Missing(f"regress.c does not compile: {done.stderr.splitlines()[0]}")
    for name in ("refint.so", "autoinc.so"):
        shutil.copy(pkglibdir / name, place)


def _results(said: str, place: Path) -> Results:
    return {
        name: Result(
            Outcome.PASSED,
            _output(place / "results" / f"{name}.out").replace(str(place), "PLACE"),
        )
        for name in _RAN.findall(said)
    }


def _output(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""
