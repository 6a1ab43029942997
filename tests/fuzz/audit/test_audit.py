"""What strangers feed to verification: only the declared errors may leave it."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from dbgate_core.audit import ed25519, note
from dbgate_core.audit.note import VerificationKey
from dbgate_core.audit.verify import Verifier
from dbgate_core.errors import UsageError, VerificationFailed
from tests.unit.audit.logs import Log, sealed_log

LOG = sealed_log()
WHOLE = [b"".join(lines) for lines in LOG.segments]
NOTE = LOG.notes[-1]


def verified(segments: list[bytes], notes: bytes) -> bool:
    try:
        kept = note.split(notes.splitlines(keepends=True))
        verifier = Verifier(LOG.signing.key, kept, [LOG.head()])
        for number, data in enumerate(segments, start=1):
            verifier.segment(number, data.splitlines(keepends=True))
        verifier.finish()
    except VerificationFailed:
        return False
    return True


@given(st.integers(0, 1), st.data())
@settings(max_examples=300, deadline=None)
def test_any_other_bytes_are_noticed(which: int, data: st.DataObject) -> None:
    whole = WHOLE[which]
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 400)))
    other = whole[:start] + data.draw(st.binary(max_size=50)) + whole[end:]
    segments = [other if n == which else w for n, w in enumerate(WHOLE)]
    notes = b"".join(n + b"\n" for n in LOG.notes)
    # bytes after the last entry are torn or unsealed: reported, and no alteration of what was signed
    grown = which == 1 and other.startswith(whole)
    assert not verified(segments, notes) or other == whole or grown


@given(st.binary(max_size=500))
@settings(max_examples=200, deadline=None)
def test_garbage_is_no_log(data: bytes) -> None:
    assert not verified([data], data)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_an_altered_checkpoint_is_noticed(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(NOTE)))
    end = data.draw(st.integers(start, len(NOTE)))
    other = NOTE[:start] + data.draw(st.binary(max_size=20)) + NOTE[end:]
    try:
        found = note.opened(other, LOG.signing.key)
    except VerificationFailed:
        return
    assert found == LOG.head()


@given(st.text(max_size=200))
def test_any_text_is_a_key_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert str(VerificationKey.parse(text)) == text.strip()


@given(
    st.binary(min_size=32, max_size=32), st.binary(max_size=64), st.binary(min_size=64, max_size=64)
)
@settings(max_examples=50, deadline=None)
def test_random_signatures_are_wrong(key: bytes, message: bytes, signature: bytes) -> None:
    assert not ed25519.verify(key, message, signature)


@given(st.integers(0, 60), st.integers(1, 9), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_log_that_was_written_is_verified(entries: int, every: int, segments: int) -> None:
    log: Log = sealed_log(entries, every, segments)
    if log.chain.tree.size > 0:
        log.seal()
    report = log.verify(expected=[log.head()])
    assert report.entries == log.chain.tree.size
    assert report.unsealed == 0
