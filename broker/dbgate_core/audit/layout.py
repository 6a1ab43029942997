"""The names of the log's files, which writer, reader and verifier share.

Numbers grow by one from 1, so a missing segment is seen by its name already.
"""

from __future__ import annotations

import re
from typing import Final

_SEGMENT: Final = re.compile(r"segment-(\d{8})\.jsonl")
_CHECKPOINTS: Final = re.compile(r"checkpoints-(\d{8})\.notes")


def segment_name(number: int) -> str:
    """`segment-00000001.jsonl`."""
    return f"segment-{number:08d}.jsonl"


def checkpoints_name(number: int) -> str:
    """`checkpoints-00000001.notes`."""
    return f"checkpoints-{number:08d}.notes"


def segment_number(name: str) -> int | None:
    """The number in a segment's name; None for any other name."""
    found = _SEGMENT.fullmatch(name)
    return int(found[1]) if found else None


def checkpoints_number(name: str) -> int | None:
    """The number in a checkpoint file's name; None for any other name."""
    found = _CHECKPOINTS.fullmatch(name)
    return int(found[1]) if found else None
