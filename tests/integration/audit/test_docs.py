"""docs/audit.md says how to verify without dbgate: its own lines are run against a real log."""

import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dbgate_broker.audit.log import AuditLog
from dbgate_broker.config import AuditConfig

DOCS = Path(__file__).parents[3] / "docs" / "audit.md"


def block(name: str) -> str:
    found = re.search(rf"```\w+\n(# {name}:.*?)```", DOCS.read_text(), re.DOTALL)
    assert found, f"docs/audit.md has no block {name}"
    return found[1]


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    scratch = {"TMPDIR": str(folder.parent)}  # for mktemp: it goes when the log goes
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **scratch, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def key_with_a_plus() -> bytes:
    """A PEM key whose public half, in base64, has the character that also parts a key's fields."""
    for seed in range(256):
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        if b"+" in b64encode(b"\x01" + private.public_key().public_bytes_raw()):
            return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    raise AssertionError("no such key")


@pytest.fixture
def key(config: AuditConfig) -> str:
    config.signing_key.parent.mkdir()
    config.signing_key.touch(0o600)
    config.signing_key.write_bytes(key_with_a_plus())
    with AuditLog.open(config, segment_bytes=2048) as log:
        for number in range(20):
            log.append("statement", {"text": f"select 'é \\ {number}'"})
        log.checkpoint()
        log.append("statement", {"text": "select 1"})
        return log.public_key


def test_the_documented_steps_verify_a_log(config: AuditConfig, key: str) -> None:
    chain = run(["sh", "-c", block("check-chain")], config.directory)
    assert chain.stdout == "the chain holds\n"
    signature = run(["sh", "-c", block("check-signature")], config.directory, KEY=key)
    assert signature.stdout.count("\n") == 4, signature.stderr
    verdict, origin, size, root = signature.stdout.splitlines()
    assert (verdict, origin) == ("Signature Verified Successfully", "dbgate"), signature.stderr
    computed = run([sys.executable, "-c", block("check-root"), size], config.directory)
    assert computed.stdout.strip() == root


def test_the_documented_steps_notice_an_alteration(config: AuditConfig, key: str) -> None:
    kept = config.directory / "checkpoints-00000001.notes"
    first, _, last = kept.read_text().rpartition("dbgate\n")
    kept.write_text(first + "dbgate\n" + last.replace("2", "3", 1))
    signature = run(["sh", "-c", block("check-signature")], config.directory, KEY=key)
    assert "Verified Successfully" not in signature.stdout
    file = config.directory / "segment-00000002.jsonl"
    file.write_bytes(file.read_bytes().replace(b"select", b"delete", 1))
    chain = run(["sh", "-c", block("check-chain")], config.directory)
    assert "altered before" in chain.stdout
    assert "holds" not in chain.stdout
