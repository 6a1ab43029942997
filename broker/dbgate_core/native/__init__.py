"""The compiled module or its twins in Python: the one place that chooses.

Both give the same bytes and raise the same errors, the twins are the reference, so nothing but
speed hangs on the choice. It is made at import: what is not built, or of another version
than this source, leaves the twins; `DBGATE_PURE=1` in the environment asks for them.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 15
"""What this source expects of the module; one more with each change of what it gives."""

try:
    from dbgate_core.native import _compiled

    if getattr(_compiled, "VERSION", None) != VERSION:
        raise ImportError("built from another version of its source")
    from dbgate_core.native._compiled import (
        Flight,
        Inlet,
        Lane,
        Track,
        answered,
        asked,
        count_rows,
        end_of_run,
        end_of_values,
        end_of_whole_run,
        entered,
        filled,
        key_of,
        replied,
        siphash,
        timestamp,
        worth_reading,
    )
except ImportError as exc:
    from dbgate_core.audit.filling import entered, filled, timestamp
    from dbgate_core.classify.glance import worth_reading
    from dbgate_core.masking.binary_rows import end_of_values
    from dbgate_core.masking.siphash import siphash
    from dbgate_core.pgwire.exchange import answered, asked, replied
    from dbgate_core.pgwire.inlet import Inlet
    from dbgate_core.pgwire.lane import Flight, Lane, Track
    from dbgate_core.pgwire.runs import count_rows, end_of_run, end_of_whole_run
    from dbgate_core.sql.constants import key_of

    _missing = exc.msg
else:
    _missing = ""

COMPILED: Final = not _missing
"""Is the compiled module in use."""
STATE: Final = f"not in use ({_missing})" if _missing else "in use"
"""The same for people, with the reason."""
HINT: Final = (
    ""
    if COMPILED or "DBGATE_PURE" in _missing
    else "install a C compiler and Python's headers, then dbgate again"
)
"""What to do about it; empty when there is nothing to do."""

__all__ = [
    "COMPILED",
    "HINT",
    "STATE",
    "Flight",
    "Inlet",
    "Lane",
    "Track",
    "answered",
    "asked",
    "count_rows",
    "end_of_run",
    "end_of_values",
    "end_of_whole_run",
    "entered",
    "filled",
    "key_of",
    "replied",
    "siphash",
    "timestamp",
    "worth_reading",
]
