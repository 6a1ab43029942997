"""PostgreSQL's own parser (libpg_query, through postgast): the one place that calls it."""

from __future__ import annotations

from typing import Any, Final

import postgast
from google.protobuf.message import DecodeError

from dbgate_core.errors import DbgateError, LimitExceeded

MAX_TEXT_BYTES: Final = 1 << 20
"""As the gateway's bound of a Query or Parse."""


class NotParsed(DbgateError):
    """The text is not SQL that PostgreSQL 18's grammar accepts: it is never forwarded."""

    code = "sql.not_parsed"
    sqlstate = "42601"


def parse(text: str) -> Any:  # Any: a protobuf tree, read by `WhichOneof` at run time
    """The raw parse tree. Raises NotParsed, or LimitExceeded for what is too long or too deep."""
    if "\0" in text:
        raise NotParsed("a statement with a NUL character")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise LimitExceeded(f"a statement of over {MAX_TEXT_BYTES} bytes is not judged")
    try:
        return postgast.parse(text)
    except postgast.PgQueryError as exc:
        raise NotParsed(str(exc)) from exc
    except (DecodeError, RecursionError) as exc:
        raise LimitExceeded("a statement nested too deep to be judged") from exc
