from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.approval.quorum import MAX_SEATS, Quorum
from dbgate_core.errors import UsageError


def test_a_quorum_names_a_seat_a_person() -> None:
    assert Quorum.parse("dba:2, security:1").seats == ("dba", "dba", "security")
    assert Quorum.parse("dba:1").groups == {"dba"}


@pytest.mark.parametrize(
    "text", ["", "dba", "dba:", ":1", "dba:0", "dba:-1", "dba:x", "dba:1,", "dba:100", "a b:1",
             "dba:²", f"dba:{MAX_SEATS + 1}", "a:b:1", "dba:1;x:1"],
)  # fmt: skip
def test_what_is_no_quorum_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Quorum.parse(text)


def test_one_person_in_two_groups_counts_once() -> None:
    both = frozenset({"dba", "security"})
    assert not Quorum.parse("dba:1,security:1").filled_by([both])
    assert Quorum.parse("dba:1,security:1").filled_by([both, frozenset({"dba"})])


def test_a_person_in_more_groups_than_needed_blocks_nothing() -> None:
    both = frozenset({"dba", "security", "ops"})
    assert Quorum.parse("dba:1").filled_by([both])
    assert Quorum.parse("dba:1,security:1").filled_by([frozenset({"security"}), both])


people = st.lists(st.frozensets(st.sampled_from("abc")), max_size=5)
seats = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


@given(seats, people)
def test_a_quorum_is_filled_exactly_when_some_seating_of_distinct_people_fills_it(
    wanted: list[str], present: list[frozenset[str]]
) -> None:
    quorum = Quorum(tuple(wanted))
    brute = any(
        all(group in groups for group, groups in zip(wanted, seating, strict=True))
        for seating in permutations(present, len(wanted))
    )
    assert quorum.filled_by(present) == brute


@given(seats, people, st.frozensets(st.sampled_from("abc")))
def test_another_person_never_unfills_a_quorum(
    wanted: list[str], present: list[frozenset[str]], more: frozenset[str]
) -> None:
    quorum = Quorum(tuple(wanted))
    if quorum.filled_by(present):
        assert quorum.filled_by([*present, more])
