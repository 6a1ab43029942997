"""What a starting broker finds: a log to go on with, or one that it must not touch.

Only the tail is read: from the segment in which the newest checkpoint lies to the end. The segment's
opening says where the tree stood, and the checkpoint's signature proves that it said the truth.
The whole log is for `dbgate audit verify` to read.
"""

from __future__ import annotations

from dataclasses import dataclass

from dbgate_broker.audit.files import Folder, last_note, lines
from dbgate_core.audit import canonical
from dbgate_core.audit.canonical import Torn
from dbgate_core.audit.chain import Chain
from dbgate_core.audit.note import Checkpoint, VerificationKey, opened
from dbgate_core.audit.verify import Verifier
from dbgate_core.errors import VerificationFailed


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where to go on. `segment` is the last segment's number, 0 when there is none.

    `whole` says that it may be appended to, `torn` what the next opening must set aside, `sealed`
    and `note` which checkpoint is the newest.
    """

    chain: Chain
    segment: int
    whole: bool
    torn: list[Torn]
    sealed: Checkpoint
    note: bytes


def resume(folder: Folder, key: VerificationKey) -> Resumed | None:
    """Read the tail of the log; None when there is no log yet.

    Raises VerificationFailed when what was signed is not there, or was signed by another key.
    """
    try:
        return _resume(folder, key)
    except VerificationFailed as exc:
        raise VerificationFailed(
            f"the audit log {folder.path} does not open: {exc.message}",
            hint="keep it as it is and look into it with `dbgate audit verify --log`;"
            " with another audit.directory the broker starts a new log",
        ) from exc


def _resume(folder: Folder, key: VerificationKey) -> Resumed | None:
    segments = folder.segments()
    note = _newest_note(folder)
    if note is None:
        if segments:
            raise VerificationFailed("it has segments, but no checkpoint")
        return None
    sealed = opened(note, key)
    verifier = Verifier(key, expected=[sealed])
    start = _start(folder, segments, sealed, verifier)
    for number in segments[start:]:
        with lines(folder.segment(number)) as found:
            verifier.segment(number, found)
    verifier.finish()
    last = segments[-1] if segments else 0
    torn = list(verifier.torn)
    whole = last > 0 and not (torn and torn[-1].segment == last)
    return Resumed(verifier.chain, last, whole, torn, sealed, note)


def _newest_note(folder: Folder) -> bytes | None:
    for number in reversed(folder.checkpoint_files()):
        note = last_note(folder.checkpoints(number))
        if note is not None:
            return note
    return None


def _start(folder: Folder, segments: list[int], sealed: Checkpoint, verifier: Verifier) -> int:
    """The position of the segment to read from; the verifier is told where it begins."""
    for position in reversed(range(len(segments))):
        with lines(folder.segment(segments[position])) as found:
            line = next(found, b"")
        if not line.endswith(b"\n"):
            continue  # no entry: torn at once, or not begun
        try:
            index = canonical.header(line).index
        except ValueError as exc:
            raise VerificationFailed(
                f"segment {segments[position]} does not begin with an entry"
            ) from exc
        if 0 < index <= sealed.size:
            verifier.resume(line)
            return position
    return 0
