"""What `@mask` says: a style for each class, the one that leaves least of several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.styles import (
    MaskStyle,
    MaskStyles,
    parse_styles,
    strictest,
    strictest_of,
)

STYLES = st.sampled_from(MaskStyle)
SAID = st.builds(
    lambda others, named: MaskStyles(others, tuple(sorted(named.items()))),
    STYLES,
    st.dictionaries(st.sampled_from(DataClass), STYLES),
)


@pytest.mark.parametrize(
    ("text", "email", "secret"),
    [
        ("token", "token", "token"),
        ("email:token", "token", "partial"),
        ("redact , email : partial,secret:null", "partial", "null"),
    ],
)
def test_a_list_says_a_style_for_each_class(text: str, email: str, secret: str) -> None:
    styles, errors = parse_styles(text)
    assert not errors
    assert [styles.of([c]) for c in (DataClass.EMAIL, DataClass.SECRET)] == [email, secret]
    assert parse_styles(text)[0] == styles


def test_every_mistake_is_told() -> None:
    _, errors = parse_styles("half, mail:token, email:most, phone:null, phone:token, null, token,")
    assert [error.partition(" is none of")[0] for error in errors] == [
        "'half'",
        "'mail'",
        "'most'",
        "phone has two styles",
        "what is without a class has two styles",
        "''",
    ]


def test_what_leaves_different_things_leaves_neither_together() -> None:
    assert strictest([MaskStyle.TOKEN, MaskStyle.GENERALISE]) is MaskStyle.REDACT
    assert strictest([MaskStyle.PARTIAL, MaskStyle.GENERALISE]) is MaskStyle.GENERALISE
    assert strictest([]) is MaskStyle.PARTIAL


@given(st.lists(SAID, max_size=4), st.sets(st.sampled_from(DataClass), min_size=1, max_size=3))
def test_no_rule_leaves_more_than_it_says(said: list[MaskStyles], classes: set[DataClass]) -> None:
    together = strictest_of(said).of(classes)
    for styles in said:
        for data_class in classes:
            assert strictest([together, styles.of([data_class])]) is together
