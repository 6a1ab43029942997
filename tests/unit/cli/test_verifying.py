"""`dbgate audit verify`, against folders and against a broker that may lie."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dbgate_cli import verifying
from dbgate_core import contract
from dbgate_core.audit import layout
from dbgate_core.errors import UsageError, VerificationFailed
from tests.unit.audit.logs import Log, sealed_log


@dataclass
class Served:
    """A broker that serves a log. It may grow between calls, as a real one does."""

    log: Log
    url: str = "https://broker.example:8443"
    between: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)

    def discovery(self) -> contract.Discovery:
        return contract.Discovery(
            version="0", issuer="", client_id="", gateway_host="", gateway_port=0,
            audit_public_key=str(self.log.signing.key),
        )  # fmt: skip

    def audit_files(self) -> contract.LogFiles:
        self._ask("files")
        return contract.LogFiles(
            files=[contract.LogFile(name=n, size_bytes=len(d)) for n, d in files(self.log).items()]
        )

    def audit_file(self, name: str) -> bytes:
        self._ask(name)
        return files(self.log)[name]

    def audit_checkpoint(self) -> bytes:
        self._ask("checkpoint")
        self.log.seal()
        return self.log.notes[-1]

    def _ask(self, what: str) -> None:
        self.between()
        self.asked.append(what)


def files(log: Log) -> dict[str, bytes]:
    found = {
        layout.segment_name(number): b"".join(lines)
        for number, lines in enumerate(log.segments, start=1)
    }
    found[layout.checkpoints_name(1)] = b"".join(note + b"\n" for note in log.notes)
    return found


def written(log: Log, folder: Path) -> tuple[Path, Path]:
    """The log in a folder, and its key in a file beside it."""
    folder.mkdir()
    for name, data in files(log).items():
        (folder / name).write_bytes(data)
    (folder / "writer.lock").write_text("1\n")
    key = folder.with_suffix(".key")
    key.write_text(f"{log.signing.key}\n")
    return folder, key


def test_a_folder_is_verified(tmp_path: Path) -> None:
    log = sealed_log()
    found = verifying.verify_folder(*written(log, tmp_path / "log"))
    assert (found.entries, found.checkpoints, found.origin, found.remembered) == (
        22,
        5,
        "dbgate",
        0,
    )
    assert found.as_json() == {
        "origin": "dbgate", "entries": 22, "checkpoints": 5, "unsealed": 0, "segments": 2,
        "torn_bytes": 0, "remembered": 0, "root": log.head().root.hex(),
    }  # fmt: skip


@pytest.mark.parametrize("position", range(0, 100, 7))
def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path, position: int) -> None:
    folder, key = written(sealed_log(), tmp_path / "log")
    for file in folder.glob("segment-*"):
        data = bytearray(file.read_bytes())
        whole = bytes(data)
        data[len(data) * position // 100] ^= 1
        file.write_bytes(data)
        with pytest.raises(VerificationFailed):
            verifying.verify_folder(folder, key)
        file.write_bytes(whole)
    assert verifying.verify_folder(folder, key).entries == 22


def test_a_removed_segment_is_noticed(tmp_path: Path) -> None:
    for number in (1, 2):
        folder, key = written(sealed_log(), tmp_path / f"log{number}")
        (folder / layout.segment_name(number)).unlink()
        with pytest.raises(VerificationFailed, match="missing"):
            verifying.verify_folder(folder, key)


def test_another_logs_key_does_not_fit(tmp_path: Path) -> None:
    folder, _ = written(sealed_log(), tmp_path / "log")
    _, key = written(sealed_log(), tmp_path / "other")
    with pytest.raises(VerificationFailed, match="not signed by"):
        verifying.verify_folder(folder, key)


def test_what_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    folder, key = written(sealed_log(), tmp_path / "log")
    for log, vkey in ((tmp_path / "no", key), (folder, tmp_path / "no"), (key, key)):
        with pytest.raises(UsageError):
            verifying.verify_folder(log, vkey)
    for data in (b"", b"\xff\xfe", b"x" * 10_000, b64encode(b"x" * 33)):
        key.write_bytes(data)
        with pytest.raises(UsageError):
            verifying.verify_folder(folder, key)


def test_an_empty_folder_is_no_log(tmp_path: Path) -> None:
    _, key = written(sealed_log(), tmp_path / "log")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VerificationFailed, match="no checkpoint"):
        verifying.verify_folder(tmp_path / "empty", key)


def test_a_broker_is_verified_and_remembered(tmp_path: Path) -> None:
    served = Served(sealed_log())
    home = tmp_path / "home"
    assert verifying.verify_broker(served, home).remembered == 0
    served.log.append(text="more")
    again = verifying.verify_broker(served, home)
    assert (again.remembered, again.entries) == (22, 23)
    assert len(list(home.iterdir())) == 1


def test_a_log_that_grows_meanwhile_is_consistent(tmp_path: Path) -> None:
    log = sealed_log()

    def grow() -> None:
        log.append(text="meanwhile")
        log.seal()
        if len(log.segments) < 4:
            log.open_segment()
            log.append(text="after a rotation")

    for _ in range(3):
        found = verifying.verify_broker(Served(log, between=grow), tmp_path)
        assert found.report.unsealed > 0


def test_a_log_cut_together_with_its_checkpoints_is_noticed(tmp_path: Path) -> None:
    log = sealed_log()
    verifying.verify_broker(Served(log), tmp_path)
    cut = Log(signing=log.signing)
    cut.seal()
    cut.open_segment()
    for number in range(5):
        cut.append(text=f"select {number}", verdict="allow")
    with pytest.raises(VerificationFailed, match="missing"):
        verifying.verify_broker(Served(cut), tmp_path)
    verifying.verify_broker(Served(cut, url="https://another.example"), tmp_path)


def test_a_log_rewritten_by_who_has_the_key_is_noticed(tmp_path: Path) -> None:
    log = sealed_log()
    verifying.verify_broker(Served(log), tmp_path)
    other = Log(signing=log.signing)
    other.seal()
    other.open_segment()
    for number in range(50):
        other.append(text=f"nothing {number}", verdict="allow")
    with pytest.raises(VerificationFailed, match="not those that were signed"):
        verifying.verify_broker(Served(other), tmp_path)


def test_a_log_begun_anew_with_another_key_is_noticed(tmp_path: Path) -> None:
    verifying.verify_broker(Served(sealed_log()), tmp_path)
    with pytest.raises(VerificationFailed, match="key is another than before") as failed:
        verifying.verify_broker(Served(sealed_log()), tmp_path)
    assert str(tmp_path) in failed.value.hint


def test_nothing_is_remembered_of_what_failed(tmp_path: Path) -> None:
    log = sealed_log()
    log.segments[0][3] = log.segments[0][3].replace(b"select", b"delete")
    with pytest.raises(VerificationFailed):
        verifying.verify_broker(Served(log), tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_broker_that_hides_a_file_is_noticed(tmp_path: Path) -> None:
    log = sealed_log()
    served = Served(log)
    verifying.verify_broker(served, tmp_path)
    hidden = Log(signing=log.signing, segments=log.segments[:1], notes=log.notes[:3])
    hidden.chain = sealed_log().chain
    hidden.seal = lambda: None  # type: ignore[method-assign]  # an old checkpoint is given out
    with pytest.raises(VerificationFailed, match="missing"):
        verifying.verify_broker(Served(hidden), tmp_path)


def test_a_damaged_memory_is_said(tmp_path: Path) -> None:
    served = Served(sealed_log())
    verifying.verify_broker(served, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(VerificationFailed):
        verifying.verify_broker(served, tmp_path)
