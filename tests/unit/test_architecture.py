"""The import arrows: dbgate_cli -> dbgate_core <- dbgate_broker, and no I/O in the core."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IO = {
    "asyncio", "socket", "ssl", "os", "pathlib", "subprocess", "threading", "time", "random", "secrets",
    "select", "selectors", "shutil", "tempfile", "http", "urllib", "logging", "sqlite3", "uuid",
    "sqlalchemy", "psycopg", "hvac", "boto3", "requests", "uvloop", "starlette", "uvicorn",
}  # fmt: skip
SERVER = {
    "dbgate_broker", "sqlalchemy", "alembic", "hvac", "boto3", "psycopg", "starlette", "uvicorn",
    "uvloop", "cedarpy", "postgast", "sqlglot", "joserfc", "cryptography", "scramp",
}  # fmt: skip
# `dbgate dev` and `dbgate serve` hand over to the broker package, lazily, when it is installed.
HANDOVER = {"commands/dev.py", "commands/serve.py"}
BANNED = {
    "cli/dbgate_cli": SERVER,
    "broker/dbgate_core": IO | {"dbgate_cli", "dbgate_broker"},
    "broker/dbgate_broker": {"dbgate_cli"},
}


def imported_roots(source: str) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return roots


@pytest.mark.parametrize("folder", BANNED)
def test_a_package_imports_only_downwards(folder: str) -> None:
    base = ROOT / folder
    files = sorted(base.rglob("*.py"))
    assert files, f"{folder} has no source"
    for file in files:
        if file.relative_to(base).as_posix() in HANDOVER:
            continue
        wrong = imported_roots(file.read_text()) & BANNED[folder]
        assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}"


def test_the_check_sees_a_planted_import() -> None:
    planted = "def f():\n    import asyncio\n"
    assert imported_roots(planted) & BANNED["broker/dbgate_core"]
