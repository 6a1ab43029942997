"""What a start finds after a crash, and what it refuses after an alteration."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_cli.verifying import Verified
from dbgate_core.audit import canonical
from dbgate_core.errors import VerificationFailed
from tests.integration.audit.test_log import entries

Verify = Callable[[], Verified]
WRITER = """
import sys
from pathlib import Path
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
log = AuditLog.open(AuditConfig(directory=Path(sys.argv[1]), signing_key=Path(sys.argv[2])),
                    segment_bytes=64 * 1024)
number = 0
while True:
    log.append("statement", {"text": f"select {number}", "number": number})
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def test_a_killed_writer_loses_nothing_that_it_recorded(
    verified: Verify, config: AuditConfig
) -> None:
    total = 0
    for run in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(config.directory), str(config.signing_key)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        acknowledged = -1
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == 300 + 500 * run:
                process.send_signal(signal.SIGKILL)
                break
        for line in process.stdout:
            if line.endswith(b"\n"):
                acknowledged = int(line)
        process.stdout.close()
        assert process.wait(30) == -signal.SIGKILL
        found = [e["number"] for e in entries(config) if e["kind"] == "statement"][total:]
        assert found[: acknowledged + 1] == list(range(acknowledged + 1))
        total += len(found)
        with AuditLog.open(config) as log:
            log.append("broker_started", {})
        assert verified().entries == len(entries(config))


def last_segment(config: AuditConfig) -> Path:
    return max(config.directory.glob("segment-*.jsonl"))


@pytest.mark.parametrize("rest", [b"{", b'{"index":5,"kind":"state', b"\x00" * 512])
def test_a_torn_last_line_is_set_aside_and_said(
    verified: Verify, config: AuditConfig, rest: bytes
) -> None:
    with AuditLog.open(config) as log:
        log.append("x", {})
    torn = last_segment(config)
    with torn.open("ab") as file:
        file.write(rest)
    before = torn.read_bytes()
    with AuditLog.open(config) as log:
        log.append("x", {})
    assert torn.read_bytes() == before
    opening = canonical.opening(last_segment(config).read_bytes().splitlines(keepends=True)[0])
    assert opening.kind == "log_recovered"
    assert [(t.segment, t.size_bytes) for t in opening.torn] == [(1, len(rest))]
    report = verified().report
    assert (report.torn_bytes, report.segments) == (len(rest), 2)
    torn.write_bytes(before[:-1])
    with pytest.raises(VerificationFailed):
        verified()


def test_a_crash_between_a_new_segment_and_its_opening(
    verified: Verify, config: AuditConfig
) -> None:
    (config.directory / "segment-00000002.jsonl").touch(0o600)
    with AuditLog.open(config) as log:
        log.append("x", {})
    (config.directory / "segment-00000003.jsonl").write_bytes(b'{"ind')
    with AuditLog.open(config) as log:
        log.append("x", {})
    assert verified().report.segments == 4


@pytest.mark.parametrize("cut", [1, 2, 40, 150])
def test_a_torn_checkpoint_is_no_checkpoint(
    verified: Verify, config: AuditConfig, cut: int
) -> None:
    with AuditLog.open(config) as log:
        log.append("x", {})
    kept = config.directory / "checkpoints-00000001.notes"
    data = kept.read_bytes()
    kept.write_bytes(data[:-cut])
    with AuditLog.open(config) as log:
        log.append("x", {})
    assert kept.read_bytes() == data[:-cut]
    assert (config.directory / "checkpoints-00000002.notes").exists()
    assert verified().report.unsealed == 0


def test_a_crash_before_the_first_checkpoint(config: AuditConfig) -> None:
    config.directory.mkdir()
    (config.directory / "checkpoints-00000001.notes").write_bytes(b"dbgate\n0\n")
    AuditLog.open(
        AuditConfig(directory=config.directory.with_name("x"), signing_key=config.signing_key)
    ).close()
    with AuditLog.open(config) as log:
        assert log.written == 1


def test_a_crash_in_the_middle_of_a_long_statement(verified: Verify, config: AuditConfig) -> None:
    with AuditLog.open(config) as log:
        log.append("statement", {"text": "x" * 500_000})
    file = last_segment(config)
    lines = file.read_bytes().splitlines(keepends=True)
    kept = config.directory / "checkpoints-00000001.notes"
    notes = kept.read_bytes()
    kept.write_bytes(notes[: notes.rindex(b"dbgate\n")])  # as if it crashed before the seal
    file.write_bytes(b"".join(lines[:-3]) + lines[-3][:1000])
    with AuditLog.open(config) as log:
        log.append("x", {})
        assert log.session("s1").entries == []
    assert verified().report.torn_bytes == 1000


ALTERED: dict[str, Callable[[Path], None]] = {}


def alters(change: Callable[[Path], None]) -> Callable[[Path], None]:
    ALTERED[change.__name__] = change
    return change


@alters
def a_byte(folder: Path) -> None:
    file = max(folder.glob("segment-*.jsonl"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@alters
def a_removed_line(folder: Path) -> None:
    file = max(folder.glob("segment-*.jsonl"))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3] + lines[4:]))


@alters
def a_cut_tail(folder: Path) -> None:
    file = max(folder.glob("segment-*.jsonl"))
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


@alters
def a_tail_torn_below_the_checkpoint(folder: Path) -> None:
    file = max(folder.glob("segment-*.jsonl"))
    file.write_bytes(file.read_bytes()[:-1])


@alters
def no_segments(folder: Path) -> None:
    for file in folder.glob("segment-*.jsonl"):
        file.unlink()


@alters
def no_checkpoints(folder: Path) -> None:
    for file in folder.glob("checkpoints-*.notes"):
        file.unlink()


@alters
def the_last_segment_gone(folder: Path) -> None:
    max(folder.glob("segment-*.jsonl")).unlink()


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_log_does_not_open(verified: Verify, config: AuditConfig, name: str) -> None:
    with AuditLog.open(config, segment_bytes=4096) as log:
        for number in range(45):
            log.append("statement", {"text": f"select {number}"})
    verified()
    ALTERED[name](config.directory)
    before = {file.name: file.read_bytes() for file in config.directory.glob("*-*")}
    with pytest.raises(VerificationFailed, match="does not open") as refused:
        AuditLog.open(config)
    assert "audit verify --log" in refused.value.hint
    assert {file.name: file.read_bytes() for file in config.directory.glob("*-*")} == before
    with pytest.raises(VerificationFailed):
        verified()


def test_a_start_reads_the_tail_alone(config: AuditConfig) -> None:
    """Damage before the last segments is for `audit verify`; a start must not take minutes."""
    with AuditLog.open(config, segment_bytes=4096) as log:
        for number in range(100):
            log.append("statement", {"text": f"select {number}"})
    (config.directory / "segment-00000001.jsonl").write_bytes(b"damaged")
    AuditLog.open(config, segment_bytes=4096).close()


def test_a_copy_of_a_log_is_a_log(verified: Verify, config: AuditConfig, tmp_path: Path) -> None:
    with AuditLog.open(config) as log:
        log.append("x", {})
        shutil.copytree(config.directory, tmp_path / "copy")
    copied = AuditConfig(directory=tmp_path / "copy", signing_key=config.signing_key)
    with AuditLog.open(copied) as log:
        log.append("x", {})
    os.rename(config.directory, tmp_path / "old")
    os.rename(tmp_path / "copy", config.directory)
    assert verified().report.unsealed == 0
