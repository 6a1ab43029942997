"""The compiled parts of the audit log give what their references give: lines, times, hashes, trees."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.audit import filling, merkle
from tests.unit.native.twins import compiled

native = compiled()
hashes = pytest.mark.skipif(not native.HASHES, reason="no instructions for SHA-256 here")
LAST_US = 253_402_300_799_999_999

values = st.one_of(
    st.integers(0, 2**63 - 1), st.text(st.characters(codec="utf-8")), st.binary(max_size=2_000)
)


@given(st.data(), st.lists(values, min_size=1, max_size=8))
def test_lines_are_filled_alike(data: st.DataObject, held: list[int | str | bytes]) -> None:
    order = tuple(data.draw(st.lists(st.integers(0, len(held) - 1), max_size=9)))
    pieces = tuple(
        data.draw(st.lists(st.binary(), min_size=len(order) + 1, max_size=len(order) + 1))
    )
    assert native.filled(pieces, order, tuple(held)) == filling.filled(pieces, order, held)


@pytest.mark.parametrize("twin", [native, filling])
def test_what_does_not_fit_is_no_line(twin: object) -> None:
    filled = twin.filled  # type: ignore[attr-defined]
    for pieces, order, held in [
        ((b"",), (0,), (1,)),
        ((b"", b""), (), ()),
        ((b"", b""), (0,), (-1,)),
    ]:
        with pytest.raises(ValueError, match=r"fit|below"):
            filled(pieces, order, held)
    with pytest.raises(IndexError):
        filled((b"", b""), (1,), (1,))


@given(st.integers(0, LAST_US))
def test_times_are_told_alike(now_us: int) -> None:
    assert native.timestamp(now_us) == filling.timestamp(now_us)


@pytest.mark.parametrize("day", [0, 58, 59, 789, 11_015, 11_016, 47_540, 47_541, 2_932_896])
def test_times_are_told_alike_about_leap_days(day: int) -> None:
    for second in (0, 86_399):
        now_us = (day * 86_400 + second) * 1_000_000 + 7
        assert native.timestamp(now_us) == filling.timestamp(now_us)


@hashes
@pytest.mark.parametrize("size", [*range(200), 1_000, 4_095, 4_096, 65_537])
def test_lines_are_hashed_as_openssl_does(size: int) -> None:
    entry = bytes(n * 31 % 251 for n in range(size))
    assert native.line_hash(entry) == sha256(entry).hexdigest()


@hashes
@given(st.lists(st.binary(max_size=200), max_size=150), st.booleans())
def test_trees_grow_alike(entries: list[bytes], whole: bool) -> None:
    quick, pure = native.Tree(), merkle.Tree()
    for entry in entries:
        quick.grow(entry)
        pure.append(merkle.leaf_hash(entry))
        if whole:
            assert (quick.size, quick.root()) == (pure.size, pure.root())
    assert (quick.size, quick.subtrees(), quick.root()) == (
        len(entries),
        pure.subtrees(),
        pure.root(),
    )


@hashes
@given(st.integers(0, 2**62 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=4))
def test_trees_go_on_alike(size: int, leaves: list[bytes]) -> None:
    roots = [sha256(b"%d" % n).digest() for n in range(size.bit_count())]
    quick, pure = native.Tree(size, roots), merkle.Tree(size, roots)
    for leaf in leaves:
        quick.append(leaf)
        pure.append(leaf)
        assert (quick.size, quick.subtrees()) == (pure.size, pure.subtrees())
    assert quick.root() == pure.root()


@hashes
@pytest.mark.parametrize(
    ("size", "roots"),
    [(-1, 1), (1, 0), (3, 1), (1 << 62, 1), (1 << 70, 1), ((1 << 63) - 1, 63), (0, 1)],
)
def test_a_tree_that_cannot_be_is_refused_alike(size: int, roots: int) -> None:
    for twin in (native.Tree, merkle.Tree):
        with pytest.raises(ValueError, match="has not"):
            twin(size, [b"x" * 32] * roots)


@hashes
def test_what_is_no_hash_is_refused_alike() -> None:
    for twin in (native.Tree, merkle.Tree):
        with pytest.raises(ValueError, match="32 bytes"):
            twin(1, [b"x" * 31])
