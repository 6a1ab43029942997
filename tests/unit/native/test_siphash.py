"""SipHash-2-4-128: the vectors of its authors, and one answer from both twins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core import native
from dbgate_core.masking.siphash import siphash

KEY = bytes(range(16))
VECTORS = {
    0: "a3817f04ba25a8e66df67214c7550293",
    1: "da87c1d86b99af44347659119b22fc45",
}
"""vectors_sip128 of the reference implementation: the value is the bytes 0, 1, 2 ..."""


@pytest.mark.parametrize("size", VECTORS)
def test_the_authors_vectors(size: int) -> None:
    for function in (siphash, native.siphash):
        assert function(KEY, bytes(range(size))).hex() == VECTORS[size]


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=300))
def test_the_twins_agree(key: bytes, value: bytes) -> None:
    assert native.siphash(key, value) == siphash(key, value)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    for function in (siphash, native.siphash):
        with pytest.raises(ValueError, match="SipHash key"):
            function(b"k" * size, b"")
