"""What ErrorResponse and NoticeResponse may quote of protected values, taken out.

Fields are keyed by their one-letter codes (PostgreSQL documentation, "Error and Notice Message
Fields"). A message made while parsing (it has a Position) quotes the statement's own text, and
some classes of SQLSTATE have fixed messages; everything else may quote a row.
"""

from __future__ import annotations

import re
from typing import Final

WITHHELD: Final = "withheld by dbgate: it may quote protected values"
_FIXED_CLASSES: Final = frozenset(
    {"08", "23", "25", "26", "2B", "34", "40", "53", "54", "55", "57"}
)
"""SQLSTATE classes whose messages name objects and limits, never values (appendix A)."""
_PARSE_CLASSES: Final = frozenset({"42", "3F", "0A", "22"})
"""Classes of errors that name the statement's own text, when they have a Position in it."""
_QUOTING_CLASSES: Final = frozenset({"21", "22", "3D", "3F", "42", "58"})
"""Classes whose messages quote a value between double quotes or after a colon."""
_MARKS: Final = '"«»„“”「」'
"""Double quotes, as translations of PostgreSQL's messages write them."""
_QUOTED = re.compile(f"[{_MARKS}].*[{_MARKS}]", re.DOTALL)
_TAIL = re.compile(r": .*", re.DOTALL)
_NUMBER = re.compile(r"[0-9][0-9.,eE+-]*")
"""`index 4242424242424242 out of valid range, 0..7` quotes its value without any quotes."""
_KEY_VALUES = re.compile(
    r"^(Key \(.*?\))=\(.*\) (already exists|conflicts|is still referenced|is not present)\b.*$",
    re.DOTALL,
)
_FAILING_ROW = re.compile(r"^Failing row contains \(.*$", re.DOTALL)
_MADE_BY_CODE: Final = frozenset(
    {"exec_stmt_raise", "exec_stmt_assert", "PLy_output", "plperl_elog"}
)
_ABOUT_CODE: Final = ("W", "q", "p")
_IN_CODE: Final = "PL/pgSQL"
"""Within such a context even the names of objects may be made of values, by EXECUTE."""
_TAKEN_NAMES: Final = frozenset({"42P06", "42P07", "42701"})
_DEFINING: Final = frozenset(
    {
        *("heap_create_with_catalog", "transformCreateStmt", "index_create", "CreateSchemaCommand"),
        "check_for_column_name_collision",
    }
)
"""Where DDL finds that a name is taken: one that stands in the statement's text, for no DDL computes any."""
_NAMES: Final = ("s", "t", "c", "d", "n")


def redact_error(fields: dict[str, str], touches_protected: bool) -> dict[str, str]:
    """The fields with whatever may quote a protected value replaced.

    Unchanged when the statement touches nothing protected. Severity, SQLSTATE, file, line and
    routine always stay.
    """
    if not touches_protected:
        return fields
    made_by_code = fields.get("R", "") in _MADE_BY_CODE or fields.get("C", "").startswith("P0")
    redacted = {code: text for code, text in fields.items() if code not in _ABOUT_CODE}
    redacted["M"] = _message(fields, made_by_code)
    if "D" in fields:
        redacted["D"] = _detail(fields, made_by_code)
    if made_by_code or _within_code(fields):
        for code in ("H", *_NAMES):
            redacted.pop(code, None)
    elif "H" in fields and not _own_text(fields):
        redacted["H"] = _without_quotes(fields["H"])
    return redacted


def _own_text(fields: dict[str, str]) -> bool:
    """Was it made while parsing the client's statement, or of a name in it: it quotes nothing but that."""
    if any(code in fields for code in _ABOUT_CODE):
        return False
    if fields.get("C") in _TAKEN_NAMES and fields.get("R") in _DEFINING:
        return True
    return "P" in fields and fields.get("C", "")[:2] in _PARSE_CLASSES


def _within_code(fields: dict[str, str]) -> bool:
    return _IN_CODE in fields.get("W", "")


def _message(fields: dict[str, str], made_by_code: bool) -> str:
    text, sqlstate = fields.get("M", ""), fields.get("C", "")
    inside = any(code in fields for code in ("W", "q"))
    if made_by_code:
        return WITHHELD
    if _own_text(fields):
        return text
    if _within_code(fields):
        known = sqlstate[:2] in _FIXED_CLASSES | _QUOTING_CLASSES
        return _without_quotes(text) if known else WITHHELD
    if fields.get("R") == "aclcheck_error":
        return text
    if sqlstate[:2] in _FIXED_CLASSES:
        return text
    if sqlstate[:2] in _QUOTING_CLASSES or (sqlstate[:2] in ("00", "01") and not inside):
        return _without_quotes(text)
    return WITHHELD


def _without_quotes(text: str) -> str:
    """From the first double quote to the last, what an unquoted colon leads in, and numbers."""
    cleared = _QUOTED.sub('"***"', text)
    return _NUMBER.sub("***", cleared if '"***"' in cleared else _TAIL.sub(": ***", cleared))


def _detail(fields: dict[str, str], made_by_code: bool) -> str:
    text = fields["D"]
    if made_by_code:
        return WITHHELD
    if fields.get("C", "").startswith("23"):
        for pattern, plain in (
            (_KEY_VALUES, r"\1=(***) \2"),
            (_FAILING_ROW, "Failing row contains (***)"),
        ):
            cleared, count = pattern.subn(plain, text, count=1)
            if count:
                return cleared
        return WITHHELD
    if fields.get("C", "")[:2] in ("2B", "40", "55", "57") or _own_text(fields):
        return text
    return WITHHELD
