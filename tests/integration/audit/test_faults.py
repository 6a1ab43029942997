"""A disk that is full, and a disk that fails: nothing runs unrecorded, and the log stays valid."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_cli import verifying
from dbgate_cli.verifying import Verified
from dbgate_core.audit.form import Filled, Form
from dbgate_core.errors import AuditUnavailable, UsageError, VerificationFailed
from tests.integration.audit.test_log import entries
from tests.integration.credentials.servers import wait_until

Verify = Callable[[], Verified]
BALLAST_BYTES = 128 * 1024
LIMITED = """
import resource, sys
from pathlib import Path
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_core.audit.form import Filled, Form
from dbgate_core.errors import AuditUnavailable

form = Form("statement", {"text": "select " + "x" * 200}, ("number",))
log = AuditLog.open(AuditConfig(directory=Path(sys.argv[1]), signing_key=Path(sys.argv[2])))
filled, refused, taken = sys.argv[3] == 'True', 0, []
for limit in (5_000, 9_001, 9_002, 60_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for number in range(40):
        try:
            fields = Filled(form, (number,)) if filled else form.fields
            taken.append(log.append("statement", fields))
        except AuditUnavailable as exc:
            assert exc.sqlstate == "53100", exc.sqlstate
            refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
taken.append(log.append("statement", {"text": "select 'space again'"}))
log.close()
print(refused, *taken)
"""


@pytest.mark.parametrize("filled", [False, True])
def test_writes_cut_short_leave_a_valid_log(
    verified: Verify, config: AuditConfig, filled: bool
) -> None:
    """The kernel cuts each write at a file size: whatever was not recorded is not an entry."""
    places = [str(config.directory), str(config.signing_key)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *places, str(filled)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    refused, *taken = map(int, done.stdout.split())
    assert refused > 0
    found = entries_that_are_whole(config)
    assert [e["index"] for e in found if e["kind"] == "statement"] == taken
    assert any(e["kind"] == "log_recovered" for e in found)
    report = verified()
    assert report.report.torn_bytes > 0
    assert report.entries == len(found)


def entries_that_are_whole(config: AuditConfig) -> list[dict[str, object]]:
    files = sorted(config.directory.glob("segment-*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB with a ballast in it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root and the right to mount")
    try:
        (place / "ballast").write_bytes(b"x" * BALLAST_BYTES)
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_statements_until_there_is_space(
    small_disk: Path, tmp_path: Path
) -> None:
    config = AuditConfig(directory=small_disk / "audit", signing_key=tmp_path / "log.pem")
    with AuditLog.open(config) as log:
        (tmp_path / "vkey").write_text(log.public_key)
        with pytest.raises(AuditUnavailable, match="cannot be written: No space left") as refused:
            fill(log)
        assert refused.value.sqlstate == "53100"
        full = log.written
        for _ in range(200):
            with pytest.raises(AuditUnavailable):
                log.append("statement", {"text": "select " + "1" * 5000})
        assert log.written == full
        (small_disk / "ballast").unlink()
        assert log.append("statement", {"text": "select 'space again'"}) >= full
        log.checkpoint()
        report = verifying.verify_folder(config.directory, tmp_path / "vkey")
        assert report.entries == log.written
        assert len(log.files().files) < 8


def test_a_disk_that_fails_to_sync_shuts_the_log_until_a_restart(
    verified: Verify, config: AuditConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with AuditLog.open(config) as log:
        log.checkpoint()
        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", fails)
            log.append("statement", {"text": "select 1"})
            wait_until(lambda: refuses(log), limit_s=5, what="the log's refusal")
        with pytest.raises(AuditUnavailable, match="disk failed"):
            log.append("statement", {"text": "select 2"})
        sealed = log.sealed
        with pytest.raises(AuditUnavailable, match="not sealed"):
            log.checkpoint()
    assert log.sealed == sealed
    with AuditLog.open(config) as log:
        log.append("statement", {"text": "select 3"})
    assert verified().report.unsealed == 0


def fill(log: AuditLog) -> None:
    for _ in range(5000):
        log.append("statement", {"text": "select 1"})


def refuses(log: AuditLog) -> bool:
    try:
        log.append("x", {})
    except AuditUnavailable:
        return True
    return False


def test_a_checkpoint_that_cannot_be_kept_is_not_given_out(
    verified: Verify, config: AuditConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that is not in the folder would make the folder look cut to its reader."""
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if data.startswith(b"{"):
            return real(fd, data)
        if data.startswith(b"dbgate\n"):
            return real(fd, data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with AuditLog.open(config) as log:
        log.append("x", {})
        with monkeypatch.context() as broken:
            broken.setattr(os, "write", full)
            with pytest.raises(AuditUnavailable, match="checkpoint"):
                log.checkpoint()
        log.append("x", {})
    assert verified().report.unsealed == 0
    assert len(list(config.directory.glob("checkpoints-*.notes"))) > 1


@pytest.mark.parametrize("fields", [{}, Filled(Form("x", {}, ("number",)), (1,))])
def test_an_interrupted_write_shuts_the_log(
    verified: Verify,
    config: AuditConfig,
    monkeypatch: pytest.MonkeyPatch,
    fields: Mapping[str, object],
) -> None:
    """Ctrl-C between the write and the bookkeeping must not give two entries one index."""
    real = os.write

    def interrupted(fd: int, data: bytes) -> int:
        real(fd, data)
        raise KeyboardInterrupt

    with AuditLog.open(config) as log:
        with monkeypatch.context() as broken:
            broken.setattr(os, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                log.append("x", fields)
        with pytest.raises(AuditUnavailable, match="interrupted"):
            log.append("x", {})
    with AuditLog.open(config) as log:
        log.append("x", {})
    assert verified().entries == len(entries(config))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = AuditConfig(directory=tmp_path / "file" / "audit", signing_key=tmp_path / "log.pem")
    with pytest.raises(UsageError, match="cannot open the audit log"):
        AuditLog.open(config)
    with pytest.raises(VerificationFailed):
        verifying.verify_folder(tmp_path, key_of(tmp_path))


def key_of(tmp_path: Path) -> Path:
    config = AuditConfig(directory=tmp_path / "a" / "audit", signing_key=tmp_path / "a" / "pem")
    with AuditLog.open(config) as log:
        (tmp_path / "vkey").write_text(log.public_key)
    return tmp_path / "vkey"
