from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_cli import verifying
from dbgate_cli.verifying import Verified


@pytest.fixture
def config(tmp_path: Path) -> AuditConfig:
    return AuditConfig(directory=tmp_path / "audit", signing_key=tmp_path / "keys" / "log.pem")


@pytest.fixture
def log(config: AuditConfig) -> Iterator[AuditLog]:
    with AuditLog.open(config) as opened:
        yield opened


@pytest.fixture
def verified(config: AuditConfig, tmp_path: Path) -> Callable[[], Verified]:
    """Verifies the log's folder as an auditor would: with the public key it learned at first."""

    def verify() -> Verified:
        return verifying.verify_folder(config.directory, tmp_path / "vkey")

    with ExitStack() as stack:
        if not (tmp_path / "vkey").exists():
            first = stack.enter_context(AuditLog.open(config))
            (tmp_path / "vkey").write_text(first.public_key)
    return verify
