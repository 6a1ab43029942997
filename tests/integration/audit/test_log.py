"""The log on disk: states, order, files, key and lock."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig
from dbgate_cli.verifying import Verified
from dbgate_core.audit import canonical, note
from dbgate_core.audit.note import VerificationKey
from dbgate_core.audit.recorder import Recorder
from dbgate_core.errors import AuditUnavailable, NotFound, UsageError, VerificationFailed
from dbgate_core.secret import Secret
from tests.integration.credentials.servers import wait_until

Verify = Callable[[], Verified]


def entries(config: AuditConfig) -> list[dict[str, object]]:
    files = sorted(config.directory.glob("segment-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_an_appended_entry_is_in_the_file_when_append_returns(
    log: AuditLog, config: AuditConfig
) -> None:
    recorder: Recorder = log
    index = recorder.append("statement", {"text": "select 1", "scope": {"session": "s1"}})
    found = entries(config)[index]
    assert (found["kind"], found["text"], found["index"]) == ("statement", "select 1", index)
    assert log.written == index + 1


def test_entries_become_durable_and_sealed_by_themselves(log: AuditLog) -> None:
    index = log.append("statement", {"text": "select 1"})
    wait_until(lambda: log.durable > index, what="fdatasync")
    wait_until(lambda: log.sealed > index, what="a checkpoint")
    key = VerificationKey.parse(log.public_key)
    assert note.opened(log.checkpoint(), key).size == log.written


def test_a_checkpoint_covers_what_was_written_before_the_call(log: AuditLog) -> None:
    key = VerificationKey.parse(log.public_key)
    for _ in range(3):
        index = log.append("statement", {"text": "select 1"})
        assert note.opened(log.checkpoint(), key).size == index + 1
    assert log.checkpoint() == log.checkpoint()


def test_many_threads_append_one_chain(verified: Verify, config: AuditConfig) -> None:
    with AuditLog.open(config) as log, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: log.append("x", {"number": n}), range(2000)))
    assert len(set(found)) == 2000
    assert verified().entries == 2001
    by_index = {entry["index"]: entry for entry in entries(config)}
    assert [by_index[index]["number"] for index in found] == list(range(2000))


def test_segments_are_rotated_and_a_reopened_log_goes_on(
    verified: Verify, config: AuditConfig
) -> None:
    for _ in range(3):
        with AuditLog.open(config, segment_bytes=4096) as log:
            for number in range(50):
                log.append("statement", {"text": f"select {number}"})
    report = verified()
    assert report.report.segments > 5
    assert report.entries == len(entries(config))
    sizes = [file.stat().st_size for file in config.directory.glob("segment-*.jsonl")]
    assert max(sizes) < 8192


def test_times_are_the_clocks(config: AuditConfig) -> None:
    with AuditLog.open(config, clock_us=lambda: 1_769_817_600_000_000) as log:
        log.append("x", {})
    assert {entry["time"] for entry in entries(config)} == {"2026-01-31T00:00:00.000000Z"}


def test_a_long_statement_is_kept_whole(verified: Verify, config: AuditConfig) -> None:
    text = "select '" + "é" * 300_000 + "'"
    with AuditLog.open(config) as log:
        index = log.append("statement", {"text": text})
        assert log.append("statement_end", {"begin": index}) == index + 10
    parts = [str(entry["text"]) for entry in entries(config) if "text" in entry]
    assert "".join(parts) == text
    assert verified().entries == index + 11


def test_files_are_the_brokers_alone(log: AuditLog, config: AuditConfig) -> None:
    log.checkpoint()
    assert stat.S_IMODE(config.directory.stat().st_mode) == 0o700
    for file in [*config.directory.iterdir(), config.signing_key]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_listing_has_segments_then_checkpoints_and_nothing_else(
    log: AuditLog, config: AuditConfig
) -> None:
    (config.directory / "notes.txt").write_text("not of the log")
    names = [file.name for file in log.files().files]
    assert names == ["segment-00000001.jsonl", "checkpoints-00000001.notes"]
    for file in log.files().files:
        assert log.read_file(file.name).stat().st_size >= file.size_bytes > 0


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../keys/log.pem", "/etc/passwd", "notes.txt", "writer.lock",
     "segment-00000002.jsonl", "segment-00000001.jsonl/..", "segment-1.jsonl",
     "segment-0000000\u0661.jsonl", "segment-00000001.jsonl\n", "segment-00000001.jsonl\x00"],
)  # fmt: skip
def test_no_other_file_can_be_read(log: AuditLog, name: str) -> None:
    with pytest.raises(NotFound):
        log.read_file(name)


def test_a_link_in_the_folder_is_not_followed(log: AuditLog, config: AuditConfig) -> None:
    (config.directory / "segment-00000009.jsonl").symlink_to(config.signing_key)
    with pytest.raises(NotFound):
        log.read_file("segment-00000009.jsonl")


def test_there_is_one_writer(log: AuditLog, config: AuditConfig) -> None:
    import os

    with pytest.raises(UsageError, match=f"already has a writer: process {os.getpid()}"):
        AuditLog.open(config)
    code = (
        "import sys; from pathlib import Path\n"
        "from dbgate_broker.audit.log import AuditLog\n"
        "from dbgate_broker.config import AuditConfig\n"
        "AuditLog.open(AuditConfig(directory=Path(sys.argv[1]), signing_key=Path(sys.argv[2])))"
    )
    other = [sys.executable, "-c", code, str(config.directory), str(config.signing_key)]
    done = subprocess.run(other, capture_output=True, text=True, timeout=60, check=False)
    assert f"process {os.getpid()}" in done.stderr
    log.append("x", {})


def test_a_closed_log_records_nothing_and_closes_twice(config: AuditConfig) -> None:
    log = AuditLog.open(config)
    log.close()
    log.close()
    with pytest.raises(AuditUnavailable):
        log.append("x", {})
    with pytest.raises(AuditUnavailable):
        log.checkpoint()
    AuditLog.open(config).close()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("x", {"index": 1}), ("x", {"prev": ""}), ("x", {"time": ""}), ("x", {"kind": ""}),
     ("segment_opened", {}), ("log_recovered", {}), ("statement_text", {})],
)  # fmt: skip
def test_nobody_else_writes_what_is_the_logs_own(
    log: AuditLog, kind: str, fields: dict[str, object]
) -> None:
    before = log.written
    with pytest.raises(UsageError):
        log.append(kind, fields)
    assert log.written == before


@pytest.mark.parametrize("value", [Secret("hunter2"), object(), "\ud800"])
def test_what_cannot_be_recorded_may_not_happen(
    log: AuditLog, config: AuditConfig, value: object
) -> None:
    with pytest.raises(AuditUnavailable) as refused:
        log.append("statement", {"text": value})
    assert "hunter2" not in str(refused.value)
    index = log.append("statement", {"text": "select 1"})
    assert entries(config)[-1]["index"] == index


def test_a_line_over_the_limit_is_refused_and_the_log_goes_on(
    verified: Verify, config: AuditConfig
) -> None:
    with AuditLog.open(config) as log:
        with pytest.raises(AuditUnavailable, match="over"):
            log.append("x", {"data": "x" * canonical.MAX_LINE_BYTES})
        log.append("x", {})
    assert verified().entries == 2


def test_the_key_stays_the_same(config: AuditConfig) -> None:
    with AuditLog.open(config) as log:
        first = log.public_key
    with AuditLog.open(config) as log:
        assert log.public_key == first


def test_a_log_whose_key_is_missing_is_not_touched(config: AuditConfig) -> None:
    AuditLog.open(config).close()
    before = {file: file.read_bytes() for file in config.directory.iterdir()}
    config.signing_key.unlink()
    with pytest.raises(VerificationFailed, match="signing key") as refused:
        AuditLog.open(config)
    assert "key back" in refused.value.hint
    assert not config.signing_key.exists()
    assert {file: file.read_bytes() for file in config.directory.iterdir()} == before


def test_a_log_of_another_key_is_not_touched(config: AuditConfig, tmp_path: Path) -> None:
    AuditLog.open(config).close()
    other = AuditConfig(directory=tmp_path / "other", signing_key=tmp_path / "other.pem")
    AuditLog.open(other).close()
    mixed = AuditConfig(directory=config.directory, signing_key=other.signing_key)
    with pytest.raises(VerificationFailed, match="not signed by"):
        AuditLog.open(mixed)
    renamed = AuditConfig(
        directory=config.directory, signing_key=config.signing_key, origin="another"
    )
    with pytest.raises(VerificationFailed, match="not signed by"):
        AuditLog.open(renamed)
    AuditLog.open(config).close()


def test_a_key_that_is_unusable_is_refused(config: AuditConfig) -> None:
    AuditLog.open(config).close()
    right = config.signing_key.read_bytes()
    config.signing_key.chmod(0o644)
    with pytest.raises(UsageError, match="open to every user"):
        AuditLog.open(config)
    config.signing_key.chmod(0o600)
    for data in (b"", b"garbage", right[:-30], right.replace(b"PRIVATE", b"PUBLIC")):
        config.signing_key.write_bytes(data)
        with pytest.raises(UsageError, match="signing key"):
            AuditLog.open(config)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_an_origin_that_cannot_be_a_name_is_refused(config: AuditConfig, origin: str) -> None:
    wrong = AuditConfig(directory=config.directory, signing_key=config.signing_key, origin=origin)
    with pytest.raises(UsageError, match="origin"):
        AuditLog.open(wrong)
