"""The limit of open files: the soft one grows when it is needed, up to the hard one.

Not before: a child inherits it, and programs that use select(2) break above 1,024.
"""

from __future__ import annotations

import resource
from typing import Final

SPARE: Final = 256
"""For what else a process has open: standard streams, libraries, the API, dials on their way."""


def most() -> int | None:
    """How many files may be open besides SPARE at the hard limit; None: as many as one likes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if hard == resource.RLIM_INFINITY else max(0, hard - SPARE)


def make_room(wanted: int) -> int | None:
    """Let so many more files be open besides SPARE; the limit when that cannot be, else None."""
    needed = wanted + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return None
    if hard != resource.RLIM_INFINITY and needed > hard:
        return hard
    grown = needed * 2 if hard == resource.RLIM_INFINITY else min(hard, needed * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (grown, hard))
    return None
