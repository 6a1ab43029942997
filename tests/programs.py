"""PostgreSQL's programs for the tests, found in one place: the system's, else the PyPI wheel's."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from dbgate_broker.dev import accounts, binaries
from dbgate_cli import programs
from dbgate_core.errors import UsageError


def server(*, tls: bool = False) -> binaries.Server:
    """The server's programs; `postgres` can be run by the account that root drops to.

    Skips the test when there are none, or none that can do TLS where the test needs it.
    """
    try:
        found = _found()
    except UsageError as exc:
        pytest.skip(f"{exc.message} ({exc.hint})")
    if tls and not found.tls:
        pytest.skip("this PostgreSQL cannot do TLS (Debian: postgresql)")
    return found


def clients_on_path() -> None:
    """Let `psql`, `pgbench` and `pg_dump` be found: what the system lacks comes from the wheel."""
    folder = programs.embedded()
    missing = sorted(name for name in programs.CLIENTS if shutil.which(name) is None)
    if folder is None or not missing:
        return
    # Links, not the folder: the server's programs beside them are not to be taken for the system's.
    links = scratch("dbgate-clients-")
    for name in missing:
        (links / name).symlink_to(folder / name)
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{links}"


@functools.cache
def _found() -> binaries.Server:
    return binaries.postgresql(accounts.unprivileged(), scratch("dbgate-server-"))


def scratch(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
