"""`python -m tests.bench.masks`: CPU microseconds a row of masking, compiled and not, no sockets.

Rows of ten columns, about 200 bytes, no value twice; 64 KiB of them a time, as the gateway reads.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import time
from collections.abc import Callable

from dbgate_core import native
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.codecs import value_mask
from dbgate_core.masking.copy import CopyFormat, CopyMask
from dbgate_core.masking.forms import Form
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.rows import ColumnMask, MaskedColumn, RowMask
from dbgate_core.masking.types import TEXT_OID
from dbgate_core.native.masks import copy_mask, row_mask

ROWS = 32_000
READ = 320
"""Rows in about 64 KiB."""
WIDTH = 10
EMAIL, PHONE = 3, 4
KEY = MaskKey(b"k" * 32)
FORMATS = {
    "COPY text": CopyFormat(),
    "COPY csv": CopyFormat(csv=True, delimiter=b",", null=b""),
}
Rewrite = Callable[[bytes], bytes]


def row(number: int) -> list[bytes]:
    """Its values."""
    words = [hashlib.sha256(b"%d %d" % (number, at)).hexdigest()[:32].encode() for at in range(3)]
    people = [b"user%d@example.com" % number, b"+49 171 %07d" % number]
    numbers = [b"%d" % number, b"%d" % (number * 7), b"%d" % (number % 100)]
    return [*words, *people, *numbers, b"x", b"value %d" % number]


def data_row(values: list[bytes]) -> bytes:
    """A DataRow of them."""
    body = struct.pack("!H", WIDTH) + b"".join(struct.pack("!i", len(v)) + v for v in values)
    return b"D" + struct.pack("!i", len(body) + 4) + body


def plan(columns: dict[int, DataClass]) -> list[ColumnMask]:
    """Masks of text columns."""
    return [
        ColumnMask(
            index,
            MaskedColumn("c", data_class, "token"),
            value_mask(Form(data_class), TEXT_OID, 0, KEY),
        )
        for index, data_class in columns.items()
    ]


PLANS = {
    "2 of 10": plan({EMAIL: DataClass.EMAIL, PHONE: DataClass.PHONE}),
    "10 of 10": plan(dict.fromkeys(range(WIDTH), DataClass.TOKEN)),
}


def report(what: str, rewrite: Rewrite, rows: list[bytes]) -> None:
    """Measure the best of three, print a line."""
    reads = [b"".join(rows[at : at + READ]) for at in range(0, len(rows), READ)]
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for read in reads:
            rewrite(read)
        best = min(best, time.process_time() - begun)
    size = sum(map(len, reads))
    a_read = best / len(reads) * 1e3
    print(
        f"{what:32} {best / len(rows) * 1e6:8.3f} us/row {size / best / 1e6:8.1f} MB/s"
        f" {a_read:8.3f} ms a read"
    )


def main() -> int:
    """Measure and print."""
    print("compiled module", native.STATE)
    rows = [row(number) for number in range(ROWS)]
    messages = [data_row(values) for values in rows]
    few = ROWS // 10
    for name, masks in PLANS.items():
        report(f"DataRow {name}", row_mask(WIDTH, masks).rewrite, messages)
        report(f"DataRow {name}, Python", RowMask(WIDTH, masks).rewrite, messages[:few])
        for kind, form in FORMATS.items():
            lines = [form.delimiter.join(values) + b"\n" for values in rows]
            report(f"{kind} {name}", copy_mask(WIDTH, masks, form).rewrite, lines)
            report(f"{kind} {name}, Python", CopyMask(WIDTH, masks, form).rewrite, lines[:few])
    return 0


if __name__ == "__main__":
    sys.exit(main())
