"""The compiled parts of the audit log give what their references give: lines and times."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbgate_core.audit import filling
from dbgate_core.audit.chain import NO_LINE, Chain
from tests.unit.native.twins import compiled

native = compiled()
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


@pytest.mark.parametrize("twin", [native, filling])
def test_a_line_is_written_and_taken(twin: ModuleType, tmp_path: Path) -> None:
    line = b'{"index":0,"prev":"%s","time":"now","own":7}\n' % NO_LINE.encode()
    pieces = (b'{"index":', b',"prev":"', b'","time":"', b'","own":', b"}\n")
    chain, other = Chain(), Chain()
    with (tmp_path / "log").open("wb", buffering=0) as file:
        done = twin.entered(chain, os.write, file.fileno(), pieces, (0, 1, 2, 3), (7,), "now")
    other.take(line)
    assert done == len(line)
    assert (tmp_path / "log").read_bytes() == line
    assert (chain.prev, chain.tree.root()) == (other.prev, other.tree.root())


@pytest.mark.parametrize("twin", [native, filling])
@pytest.mark.parametrize("room", [0, 1, 40])
def test_a_line_that_is_not_whole_on_the_disk_is_not_taken(twin: ModuleType, room: int) -> None:
    """A pipe that has room for so many bytes takes no more of them, as a full disk does."""
    chain = Chain()
    read, write = os.pipe2(os.O_NONBLOCK)
    try:
        os.write(write, bytes(fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)))
        os.read(read, room)
        pieces = (b"x" * 8192, b"", b"", b"", b"\n")
        line, done = twin.entered(chain, os.write, write, pieces, (0, 1, 2, 3), (7,), "now")
    finally:
        os.close(read)
        os.close(write)
    assert line == b"x" * 8192 + b"0" + NO_LINE.encode() + b"now7\n"
    assert 0 <= done < len(line)
    assert (chain.prev, chain.tree.size) == (NO_LINE, 0)
