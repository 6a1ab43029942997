"""FunctionCall, as libpq, JDBC and ODBC send it: for large objects.

It names a function by OID alone. Those of large objects have had the same OIDs in every PostgreSQL, so
what they mean is known without asking, and they are judged as the SELECT that calls them. No other
function is. (PostgreSQL documentation, "Function Call" under "Message Flow"; pg_proc.dat.)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.frontend import values_in
from dbgate_core.pgwire.guard import Parameters
from dbgate_core.pgwire.rows import Field

_FUNCTIONS: Final = {
    715: ("lo_create", 1),
    952: ("lo_open", 2),
    953: ("lo_close", 1),
    954: ("loread", 2),
    955: ("lowrite", 2),
    956: ("lo_lseek", 3),
    957: ("lo_creat", 1),
    958: ("lo_tell", 1),
    964: ("lo_unlink", 1),
    1004: ("lo_truncate", 2),
    3170: ("lo_lseek64", 3),
    3171: ("lo_tell64", 1),
    3172: ("lo_truncate64", 2),
}
"""By OID: the name, and how many arguments it takes."""
_BYTEA: Final = 17
RESULT: Final = (Field("result", 0, 0, _BYTEA, -1, -1, 1),)
"""What may come back, as RowDescription would say it: a value computed by the call."""
_NO_RESULT_FORMATS: Final = b"\0\0"


@dataclass(frozen=True, slots=True)
class Called:
    """A call that is known: the SELECT that it stands for, and its arguments."""

    text: str
    arguments: Parameters


def called(body: bytes) -> Called | None:
    """The call of a FunctionCall's body; None for any other function. Raises ProtocolViolation."""
    if len(body) < 4:
        raise ProtocolViolation("a malformed FunctionCall")
    known = _FUNCTIONS.get(struct.unpack_from("!I", body)[0])
    if known is None:
        return None
    name, takes = known
    # As in Bind, but for one result format where Bind has a list of them.
    arguments = body[4:-2] + _NO_RESULT_FORMATS
    if values_in(arguments, 0, len(arguments)) != takes:
        raise ProtocolViolation("a malformed FunctionCall")
    listed = ", ".join(f"${n}" for n in range(1, takes + 1))
    return Called(f"select pg_catalog.{name}({listed})", Parameters(arguments, takes))
