"""Signed notes and keys: what is accepted, and every way of being something else."""

from base64 import b64encode

import pytest

from dbgate_core.audit import note
from dbgate_core.audit.note import Checkpoint, VerificationKey
from dbgate_core.errors import UsageError, VerificationFailed
from tests.unit.audit.logs import Signing

# The example of golang.org/x/mod/sumdb/note: an implementation that is not ours.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
    "fqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = bytes(range(32))


def test_another_implementations_key_and_signature() -> None:
    key = VerificationKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    with pytest.raises(VerificationFailed, match="no checkpoint"):  # past the signature, no log
        note.opened(GO_NOTE.encode(), key)
    with pytest.raises(VerificationFailed, match="signature"):
        note.opened(GO_NOTE.replace("think", "thinks").encode(), key)


def test_a_checkpoint_there_and_back() -> None:
    signing = Signing("example.org/log")
    found = note.opened(signing.sign(Checkpoint("example.org/log", 42, ROOT)), signing.key)
    assert found == Checkpoint("example.org/log", 42, ROOT)
    assert found.text() == f"example.org/log\n42\n{b64encode(ROOT).decode()}\n".encode()
    assert VerificationKey.parse(f" {signing.key}\n") == signing.key


@pytest.mark.parametrize(
    "text",
    ["", "x", "a+b", "a+b+c", GO_KEY[:-4], GO_KEY.replace("c74f20a3", "c74f20a4"),
     GO_KEY.replace("Peter", "Paul"), GO_KEY.replace("+ARpc", "+AhpC"), "a b+00000000+AQ==",
     "+00000000+" + b64encode(b"\x01" + bytes(32)).decode(), "é" * 5000],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        VerificationKey.parse(text)
    assert "name+hash+base64" in refused.value.hint


def tampered(signing: Signing) -> list[bytes]:
    right = signing.sign(Checkpoint("dbgate", 42, ROOT))
    other = Signing("dbgate")
    foreign = other.sign(Checkpoint("dbgate", 42, ROOT))
    ours, theirs = right.split(b"\n\n")[1], foreign.split(b"\n\n")[1]
    return [
        b"",
        right[:-1],
        right.replace(b"42", b"43"),
        right.replace(b"dbgate\n42", b"dbgate2\n42"),
        right.replace(b"\n\n", b"\nmore\n\n"),
        right.replace(b"\n\n", b"\n\n\n"),
        right + b"garbage\n",
        right.replace("—".encode(), b"-"),
        foreign,
        right.split(b"\n\n")[0] + b"\n\n" + theirs,
        b"dbgate\n43\n" + right.split(b"\n", 2)[2],
        right.split(b"\n\n")[0] + b"\n\n" + ours.replace(b"A", b"B").replace(b"a", b"b"),
        right + b"\xe2\x80\x94 x " + b"A" * (16 * 1024) + b"\n",
    ]


@pytest.mark.parametrize("number", range(13))
def test_an_altered_note_is_refused(number: int) -> None:
    signing = Signing()
    with pytest.raises(VerificationFailed):
        note.opened(tampered(signing)[number], signing.key)


@pytest.mark.parametrize("size", ["042", "-1", "+1", "1_0", " 1", "", "٣"])
def test_a_signed_text_that_is_no_checkpoint_is_refused(size: str) -> None:
    signing = Signing()
    text = f"dbgate\n{size}\n{b64encode(ROOT).decode()}\n".encode()
    signature = b64encode(signing.key.key_hash + signing.private.sign(text)).decode()
    with pytest.raises(VerificationFailed):
        note.opened(text + f"\n— dbgate {signature}\n".encode(), signing.key)


def test_a_checkpoint_of_another_origin_is_refused_though_signed() -> None:
    signing = Signing()
    with pytest.raises(VerificationFailed, match="another log"):
        note.opened(signing.sign(Checkpoint("other", 1, ROOT)), signing.key)
    with pytest.raises(VerificationFailed):
        note.opened(signing.sign(Checkpoint("dbgate", 1, ROOT[:-1])), signing.key)


def test_signatures_of_witnesses_are_passed_over() -> None:
    signing, witness = Signing(), Signing("witness.example")
    right = signing.sign(Checkpoint("dbgate", 42, ROOT))
    signature = b64encode(witness.key.key_hash + bytes(64)).decode()
    assert note.opened(right + f"— witness.example {signature}\n".encode(), signing.key).size == 42


def test_a_file_of_notes_is_split_and_its_torn_end_is_no_note() -> None:
    signing = Signing()
    notes = [signing.sign(Checkpoint("dbgate", n, ROOT)) for n in range(3)]
    data = b"".join(n + b"\n" for n in notes)
    assert list(note.split(data.splitlines(keepends=True))) == notes
    for cut in range(1, len(notes[2]) + 1):
        assert list(note.split(data[:-cut].splitlines(keepends=True))) == notes[:2]
    with pytest.raises(VerificationFailed):
        list(note.split([b"x" * 1000 + b"\n"] * 100))
