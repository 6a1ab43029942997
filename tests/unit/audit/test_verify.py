"""The attacks on a log that verification must notice, each as a case."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from dbgate_core.audit import canonical
from dbgate_core.audit.canonical import Torn
from dbgate_core.audit.note import Checkpoint
from dbgate_core.audit.verify import Verifier
from dbgate_core.errors import VerificationFailed
from tests.unit.audit.logs import Log, Signing, rewritten, sealed_log


def test_a_whole_log_is_verified() -> None:
    log = sealed_log(entries=20, every=5, segments=2)
    log.append(text="not sealed yet")
    report = log.verify()
    assert (report.origin, report.entries, report.unsealed) == ("dbgate", 22, 1)
    assert (report.checkpoints, report.segments, report.torn_bytes) == (5, 2, 0)
    assert log.verify(expected=[log.head()]).unsealed == 0


def edit(line: bytes, **fields: object) -> bytes:
    return canonical.encode({**canonical.entry(line), **fields})


def flip(log: Log) -> None:
    log.segments[0][3] = log.segments[0][3].replace(b"select", b"delete")


def flip_the_last(log: Log) -> None:
    log.segments[-1][-1] = log.segments[-1][-1].replace(b"allow", b"deny!")


def remove(log: Log) -> None:
    del log.segments[0][4]


def remove_and_chain_anew(log: Log) -> None:
    del log.segments[-1][4]
    flat = rewritten([line for s in log.segments for line in s], start=len(log.segments[0]) + 4)
    log.segments[-1] = flat[len(log.segments[0]) :]


def rewrite_everything(log: Log) -> None:
    flat = [line.replace(b"select 1", b"select 2") for s in log.segments for line in s]
    flat = rewritten(flat, start=0)
    log.segments = [flat[: len(log.segments[0])], flat[len(log.segments[0]) :]]


def rewrite_and_sign_with_another_key(log: Log) -> None:
    other = sealed_log()
    log.segments, log.notes = other.segments, other.notes


def swap(log: Log) -> None:
    first = log.segments[0]
    first[3], first[4] = first[4], first[3]


def repeat(log: Log) -> None:
    log.segments[0].insert(4, log.segments[0][4])


def insert(log: Log) -> None:
    log.segments[0].insert(4, edit(log.segments[0][4], text="select 'forged'"))


def truncate(log: Log) -> None:
    del log.segments[-1][-2:]


def truncate_in_a_line(log: Log) -> None:
    log.segments[-1][-1] = log.segments[-1][-1][:-9]


def truncate_to_a_checkpoint_but_leave_the_newer(log: Log) -> None:
    log.segments = log.segments[:1]


def drop_the_first_segment(log: Log) -> None:
    log.segments[0] = []


def swap_segments(log: Log) -> None:
    log.segments.reverse()


def drop_all_checkpoints(log: Log) -> None:
    log.notes = []


def drop_everything(log: Log) -> None:
    log.segments = []


def swap_checkpoints(log: Log) -> None:
    log.notes[1], log.notes[2] = log.notes[2], log.notes[1]


def alter_an_old_checkpoint(log: Log) -> None:
    log.notes[1] = log.notes[1].replace(b"dbgate\n6", b"dbgate\n7")


def forge_an_old_signature(log: Log) -> None:
    """The root is right, the signature is not: someone wrote this file who had no key."""
    size = int(log.notes[1].split(b"\n")[1])
    other = Signing()
    forged = other.sign(Checkpoint("dbgate", size, bytes(32)))
    log.notes[1] = log.notes[1].split(b"\n\n")[0] + b"\n\n" + forged.split(b"\n\n")[1]


def two_roots_for_one_size(log: Log) -> None:
    """The owner of the key shows two logs: both checkpoints are signed, only one can be right."""
    log.notes.append(log.signing.sign(replace(log.head(), root=bytes(32))))


def undeclared_torn_bytes(log: Log) -> None:
    log.segments[0].append(b'{"index":')


def swallow_entries_as_torn(log: Log) -> None:
    log.segments[0][-1] = log.segments[0][-1][:-1]


def lie_about_the_tree(log: Log) -> None:
    log.segments[1][0] = edit(log.segments[1][0], tree=[])


def lie_about_the_segment(log: Log) -> None:
    log.segments[1][0] = edit(log.segments[1][0], segment=3)


def declare_torn_bytes_that_are_not(log: Log) -> None:
    torn = [{"segment": 1, "size_bytes": 9, "sha256": "0" * 64}]
    log.segments[1][0] = edit(log.segments[1][0], torn=torn, kind="log_recovered")


def no_opening(log: Log) -> None:
    del log.segments[1][0]


def opening_amid(log: Log) -> None:
    log.segments[0][3] = edit(log.segments[0][3], kind="segment_opened")


def no_json(log: Log) -> None:
    log.segments[0][3] = b"not an entry\n"


def another_type(log: Log) -> None:
    log.segments[0][3] = edit(log.segments[0][3], index="3")


def an_empty_line(log: Log) -> None:
    log.segments[0].insert(3, b"\n")


ATTACKS = [
    flip, flip_the_last, remove, remove_and_chain_anew, rewrite_everything,
    rewrite_and_sign_with_another_key, swap, repeat, insert, truncate, truncate_in_a_line,
    truncate_to_a_checkpoint_but_leave_the_newer, drop_the_first_segment, swap_segments,
    drop_all_checkpoints, drop_everything, swap_checkpoints, alter_an_old_checkpoint,
    forge_an_old_signature, two_roots_for_one_size, undeclared_torn_bytes,
    swallow_entries_as_torn, lie_about_the_tree, lie_about_the_segment,
    declare_torn_bytes_that_are_not, no_opening, opening_amid, no_json, another_type,
    an_empty_line,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.__name__))
def test_an_attack_is_noticed(attack: Callable[[Log], None]) -> None:
    log = sealed_log()
    attack(log)
    with pytest.raises(VerificationFailed) as failed:
        log.verify()
    assert failed.value.exit_code == 7


def test_a_failure_says_index_expected_and_found() -> None:
    log = sealed_log()
    flip(log)
    found = sha256(log.segments[0][3][:-1]).hexdigest()
    with pytest.raises(VerificationFailed, match=f"entry 4: .*expected .*found {found}"):
        log.verify()
    log = sealed_log()
    remove(log)
    with pytest.raises(VerificationFailed, match="expected entry 4, found entry 5"):
        log.verify()
    log = sealed_log()
    truncate(log)
    with pytest.raises(VerificationFailed, match="22 entries was signed: 2 entries are missing"):
        log.verify()


def test_a_log_cut_with_its_checkpoints_is_noticed_by_who_kept_one() -> None:
    log = sealed_log()
    kept = log.head()
    cut = sealed_log()
    cut.signing, cut.segments, cut.notes = log.signing, log.segments[:1], log.notes[:3]
    assert cut.verify().entries == 11
    with pytest.raises(VerificationFailed, match="11 entries are missing"):
        cut.verify(expected=[kept])


def test_a_log_begun_again_is_noticed_by_who_kept_a_checkpoint() -> None:
    log = sealed_log()
    again = Log(signing=log.signing)
    again.open_segment()
    for _ in range(40):
        again.append(text="nothing happened here")
    again.seal()
    assert again.verify().entries == 41
    with pytest.raises(VerificationFailed, match="the first 22 entries are not those"):
        again.verify(expected=[log.head()])


def test_torn_bytes_are_accepted_exactly_as_declared() -> None:
    log = sealed_log(segments=1)
    rest = b'{"index":21,"kin'
    log.tear(Torn(1, len(rest), sha256(rest).hexdigest()), rest)
    log.open_segment()
    log.append(text="after")
    log.seal()
    assert log.verify().torn_bytes == len(rest)
    for other in (rest[:-1], rest + b"x", b"x" * len(rest)):
        log.segments[0][-1] = other
        with pytest.raises(VerificationFailed, match=r"opens segment 2: expected .*Torn"):
            log.verify()
    del log.segments[0][-1]
    with pytest.raises(VerificationFailed, match="torn"):
        log.verify()


def test_a_segment_of_torn_bytes_alone_and_an_empty_one() -> None:
    log = sealed_log(segments=1)
    log.segments.append([])
    log.tear(Torn(2, 1, sha256(b"{").hexdigest()), b"{")
    log.segments.append([])
    log.open_segment()
    log.seal()
    report = log.verify()
    assert (report.segments, report.torn_bytes) == (4, 1)


def test_bytes_after_the_last_entry_are_reported_and_nothing_is_said_to_be_sealed() -> None:
    log = sealed_log(segments=1)
    log.segments[0].append(b'{"ind')
    assert log.verify().torn_bytes == 5


def test_a_line_over_the_limit_ends_verification() -> None:
    log = sealed_log(segments=1)
    log.segments[0].append(b"x" * (canonical.MAX_LINE_BYTES + 1))
    with pytest.raises(VerificationFailed, match="bytes"):
        log.verify()
    log.segments[0][-1:] = [b"x" * 100, b"y\n"]
    with pytest.raises(VerificationFailed):
        log.verify()


def test_a_missing_segment_is_named() -> None:
    log = sealed_log(segments=2)
    verifier = Verifier(log.signing.key, log.notes)
    with pytest.raises(VerificationFailed, match="segment 1 is missing"):
        verifier.segment(2, log.segments[1])


def test_it_resumes_at_a_later_segment_and_still_proves_it() -> None:
    log = sealed_log(segments=2)
    for lines, right in ((log.segments[1], True), ([edit(log.segments[1][0], tree=[])], False)):
        verifier = Verifier(log.signing.key, expected=[log.head()])
        if right:
            verifier.resume(lines[0])
            verifier.segment(2, lines)
            assert verifier.finish().entries == 22
        else:
            with pytest.raises(VerificationFailed):
                verifier.resume(lines[0])
    forged = [["0" * 64] * len(canonical.opening(log.segments[1][0]).tree)]
    opening = edit(log.segments[1][0], tree=forged[0])
    rest = rewritten([*log.segments[0], opening, *log.segments[1][1:]], start=12)[12:]
    verifier = Verifier(log.signing.key, expected=[log.head()])
    verifier.resume(opening)
    with pytest.raises(VerificationFailed, match="expected the root"):
        verifier.segment(2, [opening, *rest])


def test_lines_and_checkpoints_are_taken_side_by_side() -> None:
    """Neither is listed, so memory does not grow with the log."""
    log = sealed_log(entries=200, every=10, segments=1)
    taken = 0

    def notes() -> Iterator[bytes]:
        nonlocal taken
        for one in log.notes:
            taken += 1
            yield one

    verifier = Verifier(log.signing.key, notes())

    def lines() -> Iterator[bytes]:
        for number, line in enumerate(log.segments[0]):
            assert taken <= number // 10 + 2
            yield line

    verifier.segment(1, lines())
    assert verifier.finish().checkpoints == taken == 21
