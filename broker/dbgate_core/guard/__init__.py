"""The guard of one connection: judge a statement, record it, mask what comes back, record the end.

`ConnectionGuard` is what the wire session calls. It judges and records; `Sight` is what the connection sees of
its database, `Results` what leaves of results, `Tracks` what the compiled lane may take on.
"""

from dbgate_core.guard.connection import ConnectionGuard

__all__ = ["ConnectionGuard"]
