"""A form's lines are, byte for byte, what the encoder gives of the same fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.audit import canonical
from dbgate_core.audit.chain import NO_LINE, Chain
from dbgate_core.audit.form import Filled, Form
from dbgate_core.native import timestamp

TIME = timestamp(1_769_860_800_000_000)
texts = st.text(st.characters(codec="utf-8"))
names = texts.filter(lambda name: name not in canonical.RESERVED)
shared = st.dictionaries(names, st.one_of(texts, st.integers(-(2**53), 2**53), st.lists(texts)))
own = st.dictionaries(names, st.one_of(texts, st.integers(0, 2**63 - 1)))


@given(st.sampled_from(["statement", 'a "kind"']), shared, own)
def test_a_filled_form_is_the_line_of_its_fields(
    kind: str, fields: dict[str, object], values: dict[str, str | int]
) -> None:
    fields = {name: value for name, value in fields.items() if name not in values}
    held = tuple(v if isinstance(v, int) else canonical.fragment(v) for v in values.values())
    filled = Filled(Form(kind, fields, tuple(values)), held)
    (line,) = Chain().lines(kind, TIME, filled)
    assert [line] == Chain().lines(kind, TIME, {**fields, **values})
    assert dict(filled) == {**fields, **dict(zip(values, held, strict=True))}
    assert len(filled) == len(dict(filled))


@pytest.mark.parametrize("name", sorted(canonical.RESERVED))
def test_a_form_holds_nothing_that_the_log_itself_says(name: str) -> None:
    with pytest.raises(ValueError, match="log itself"):
        Form("statement", {name: 1}, ())
    with pytest.raises(ValueError, match="log itself"):
        Form("statement", {}, (name,))


@pytest.mark.parametrize("kind", sorted(canonical.OWN_KINDS))
def test_a_form_is_of_no_kind_of_the_logs_own(kind: str) -> None:
    with pytest.raises(ValueError, match="log itself"):
        Form(kind, {}, ())


def test_a_form_is_not_taken_for_another_kind() -> None:
    filled = Filled(Form("statement", {}, ()), ())
    with pytest.raises(ValueError, match="a segment_opened"):
        filled.line(canonical.SEGMENT_OPENED, 0, NO_LINE, TIME)
