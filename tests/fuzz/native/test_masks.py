"""Bytes of a broken server in the compiled masks: only declared errors leave, and nothing crashes."""

from __future__ import annotations

import contextlib
import random

import pytest

from dbgate_core.errors import DbgateError
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import value_mask
from dbgate_core.masking.copy import CopyFormat
from dbgate_core.masking.forms import Form
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.rows import ColumnMask, MaskedColumn
from dbgate_core.masking.types import FAMILIES
from dbgate_core.native.masks import CompiledCopyMask, CompiledRowMask
from tests.unit.native.twins import compiled

native = compiled()

ROUNDS = 4_000
ABOUT = MaskedColumn("c", "email", "token")
KEY = MaskKey(b"k" * 32)
PIECES = [
    b"D",
    b"\0\0\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\t",
    b"\n",
    b"\\",
    b'"',
]
WORDS = [
    b"ada@example.com",
    b"4929 1234 5678 9012",
    b"Ada Lovelace",
    b"DE89 3704 0044 0532 0130 00",
]


def some_bytes(rng: random.Random) -> bytes:
    """Marks of the formats, values and noise; often a row whose lengths lie by a little."""
    if rng.random() < 0.5:
        return b"".join(
            rng.choice([*PIECES, *WORDS, rng.randbytes(3)]) for _ in range(rng.randrange(20))
        )
    body = b"\0\3"
    for _ in range(3):
        word = rng.choice([*WORDS, b"", rng.randbytes(rng.randrange(50))])
        body += max(0, len(word) + rng.choice([0, 0, 0, 1, -1])).to_bytes(4, "big") + word
    return (b"D" + (len(body) + 4 + rng.choice([0, 0, 1, -1])).to_bytes(4, "big") + body) * 2


@pytest.mark.parametrize("seed", range(3))
def test_only_declared_errors_leave_the_compiled_masks(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        oid, format_code = rng.choice([25, 25, *FAMILIES]), rng.choice([0, 0, 1])
        form = Form(rng.choice(list(DataClass)), rng.random() < 0.3)
        mask = value_mask(form, oid, format_code, KEY, rng.choice([None, 0, 5]))
        plan = [ColumnMask(index, ABOUT, mask) for index in range(3) if rng.random() < 0.7]
        data = some_bytes(rng)
        copy = CompiledCopyMask(3, plan, CopyFormat(csv=rng.random() < 0.5))
        for feed in (CompiledRowMask(3, plan).rewrite, copy.rewrite, native.count_rows):
            with contextlib.suppress(DbgateError):
                assert isinstance(feed(data), bytes | int)


def test_masks_out_of_order_or_beyond_the_row_are_no_plan() -> None:
    mask = value_mask(Form(DataClass.EMAIL), 25, 0, KEY)
    for indexes in ((0, 0), (1, 0), (3,), (-1,)):
        with pytest.raises(ValueError, match="out of order"):
            native.Plan(tuple((index, mask, False) for index in indexes), 3)
