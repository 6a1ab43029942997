from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.approval.digest import statement_digest

parts = st.tuples(st.text(), st.text(), st.text(), st.lists(st.text()).map(tuple))


@given(parts, parts)
def test_only_equal_parts_have_equal_digests(
    one: tuple[str, str, str, tuple[str, ...]], other: tuple[str, str, str, tuple[str, ...]]
) -> None:
    assert (statement_digest(*one) == statement_digest(*other)) == (one == other)


def test_the_bounds_between_parts_count() -> None:
    assert statement_digest("ab", "c", "d") != statement_digest("a", "bc", "d")
    assert statement_digest("a", "b", "c", ("d", "e")) != statement_digest("a", "b", "c", ("de",))


def test_another_search_path_is_another_statement() -> None:
    assert statement_digest("drop table t", "d", "r") != statement_digest(
        "drop table t", "d", "r", ("other",)
    )
