"""How far a value can go: comparisons with constants that every value passes, alone or together.

What a comparison lets pass is a set of spans between cuts. A cut lies just below or just above a value,
so open and closed ends are alike. Spans that cover all that the value can be choose every row: `id >=
-2147483648`, `length(note) >= 0`, `id < 10 or id > 5`, `status <> 'a' or status <> 'b'`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from dbgate_core.sql.reducing import form_of, never_null, plain_text, reduced
from dbgate_core.sql.shapes import Key, depends, key_of
from dbgate_core.sql.target import Target
from dbgate_core.sql.tree import Node, kind, strings

Value: TypeAlias = "Decimal | str"
Cut: TypeAlias = "tuple[int, Value, int]"
"""Numbers are of rank 0, texts of rank 1; 0 below the value, 1 above it."""
Span: TypeAlias = "tuple[Cut, Cut]"

_INFINITE: Final = Decimal("Infinity")
_START: Final[Cut] = (-1, Decimal(0), 0)
_END: Final[Cut] = (2, Decimal(0), 0)
_ALL: Final[Span] = (_START, _END)
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
_BETWEEN: Final = {"AEXPR_BETWEEN": False, "AEXPR_NOT_BETWEEN": True}
_MAX_LISTED: Final = 100
"""Longer lists are not looked at: no list that long is written to choose every row."""
_MAX_TID: Final = (2**32 - 1) * 65_536 + 65_535

_TYPES: Final[dict[int, tuple[Value, Value]]] = {
    16: (Decimal(0), Decimal(1)),
    20: (Decimal(-(2**63)), Decimal(2**63 - 1)),
    21: (Decimal(-(2**15)), Decimal(2**15 - 1)),
    23: (Decimal(-(2**31)), Decimal(2**31 - 1)),
    26: (Decimal(0), Decimal(2**32 - 1)),
    **dict.fromkeys((700, 701, 1082, 1114, 1184, 1700), (-_INFINITE, _INFINITE)),
}
"""The least and the greatest value, by OID. NaN lies above infinity, and is not thought of."""
_WHOLE: Final = frozenset({16, 20, 21, 23, 26})
_TEXTS: Final = frozenset({25, 1042, 1043})
_DATES: Final = frozenset({1082, 1114, 1184})
_FROM_NOTHING: Final = (Decimal(0), _INFINITE)
_ONE: Final = (Decimal(-1), Decimal(1))
_FUNCTIONS: Final[dict[str, tuple[Value, Value]]] = {
    **dict.fromkeys(
        (
            *("length", "char_length", "character_length", "octet_length", "bit_length"),
            *("abs", "cardinality", "ascii", "sqrt", "exp", "strpos", "position"),
            "pg_column_size",
        ),
        _FROM_NOTHING,
    ),
    **dict.fromkeys(("sign", "sin", "cos"), _ONE),
}


def passes(expression: Node, target: Target) -> bool | None:
    """Do all values pass the comparison (True), none (False); None where it hangs on the row."""
    found = _spans(expression, target, negated=False)
    if found is None:
        return None
    subject, passing = found
    if _ends(subject, target) is None and not never_null(subject, target):
        return None
    if _cover(passing, subject, target):
        return True
    return False if _cover(_complement(passing), subject, target) else None


def cover_together(items: Iterable[Node], target: Target, negated: bool) -> bool:
    """Does every value pass one of the comparisons (of their negations, if negated), nulls aside."""
    by_subject: dict[Key, list[Span]] = {}
    subjects: dict[Key, Node] = {}
    for item in items:
        found = _spans(item.a_expr, target, negated) if kind(item) == "a_expr" else None
        if found is not None:
            subject, passing = found
            key = key_of(subject, target, twins=False)
            subjects[key] = subject
            by_subject.setdefault(key, []).extend(passing)
    return any(_cover(passing, subjects[key], target) for key, passing in by_subject.items())


def _spans(expression: Node, target: Target, negated: bool) -> tuple[Node, list[Span]] | None:
    """The subject of a comparison with constants, and what of it passes."""
    subject, found = _compared(expression, target)
    if found is None or not depends(subject, target):
        return None
    return subject, _complement(found) if negated else found


def _compared(expression: Node, target: Target) -> tuple[Node, list[Span] | None]:
    form, operator = form_of(expression), strings(expression.name)[-1]
    left, right = reduced(expression.lexpr, target), expression.rexpr
    if form == "AEXPR_OP" and operator in _MIRRORED:
        if plain_text(left) is not None:
            left, right, operator = reduced(right, target), left, _MIRRORED[operator]
        return left, _beyond(operator, _value(right, left, target))
    if form in _BETWEEN:
        low, high = (_value(item, left, target) for item in right.list.items)
        outside = _complement_of_between(low, high)
        return left, outside if outside is None or _BETWEEN[form] else _complement(outside)
    if form == "AEXPR_IN" and kind(right) == "list" and len(right.list.items) <= _MAX_LISTED:
        values = [_value(item, left, target) for item in right.list.items]
        points = [span for it in values if it is not None for span in _beyond("=", it) or ()]
        if None in values:
            return left, None
        return left, _complement(points) if operator == "<>" else points
    return left, None


def _beyond(operator: str, value: Value | None) -> list[Span] | None:
    """What is on that side of the value. Of texts, whose order nobody knows, only = and <>."""
    if value is None:
        return None
    rank = int(isinstance(value, str))
    below, above = (rank, value, 0), (rank, value, 1)
    if operator == "=":
        return [(below, above)]
    if operator == "<>":
        return [(_START, below), (above, _END)]
    if rank:
        return [_ALL] if (operator, value) == (">=", "") else None
    return [(_START, {"<": below, "<=": above}[operator])] if operator in ("<", "<=") else [
        ({">": above, ">=": below}[operator], _END)
    ]  # fmt: skip


def _complement_of_between(low: Value | None, high: Value | None) -> list[Span] | None:
    below, above = _beyond("<", low), _beyond(">", high)
    return None if below is None or above is None else below + above


def _complement(passing: Sequence[Span]) -> list[Span]:
    """What lies in none of the spans."""
    gaps, at = [], _START
    for start, end in sorted(passing):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    return [*gaps, (at, _END)] if at < _END else gaps


def _cover(passing: Sequence[Span], subject: Node, target: Target) -> bool:
    """Does nothing that the subject can be lie in a gap between the spans."""
    ends = _ends(subject, target)
    least, greatest = ((0, ends[0], 0), (0, ends[1], 1)) if ends else _ALL
    whole = _is_whole(subject, target)
    return all(
        end <= least or start >= greatest or (whole and _holds_no_number(start, end))
        for start, end in _complement(passing)
    )


def _holds_no_number(start: Cut, end: Cut) -> bool:
    """Is the gap one between a whole number and the next."""
    low, high = start[1], end[1]
    if _START in (start, end) or _END in (start, end):
        return False
    if not (isinstance(low, Decimal) and isinstance(high, Decimal)):
        return False
    return start[2] == 1 and end[2] == 0 and low % 1 == 0 and high - low == 1


def _is_whole(subject: Node, target: Target) -> bool:
    """Are the subject's values whole numbers."""
    column = target.column(subject)
    return column is not None and target.base_type(column) in _WHOLE


def _ends(subject: Node, target: Target) -> tuple[Value, Value] | None:
    """The least and the greatest that a subject which is never null can be, where it is known."""
    name = kind(subject)
    if name == "func_call":
        call = subject.func_call
        filled = all(never_null(item, target) for item in call.args)
        return _FUNCTIONS.get(strings(call.funcname)[-1]) if filled else None
    if name != "column_ref":
        return None
    if strings(subject.column_ref.fields)[-1] == "ctid":
        return Decimal(1), Decimal(_MAX_TID)
    column = target.column(subject)
    return _TYPES.get(target.base_type(column)) if column and column.not_null else None


def _value(node: Node, subject: Node, target: Target) -> Value | None:
    """The constant as a value of the subject's type; None where it is not understood."""
    text = plain_text(node)
    if text is None:
        return None
    column = target.column(subject)
    oid = target.base_type(column) if column else 0
    if oid in _TEXTS:
        return text
    if text in ("true", "false"):
        return Decimal(text == "true")
    if oid in _DATES:
        return _moment(text)
    if kind(subject) == "column_ref" and strings(subject.column_ref.fields)[-1] == "ctid":
        return _place(text)
    number = _number(text)
    return text if number is None and not oid else number


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return None if number.is_nan() else number


def _moment(text: str) -> Decimal | None:
    """A date or timestamp in ISO 8601, as seconds; zones are not thought of."""
    text = text.strip().lower()
    if text in ("infinity", "-infinity"):
        return Decimal(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return None
    return Decimal((moment - datetime(1, 1, 1)).total_seconds())


def _place(text: str) -> Decimal | None:
    """A ctid, `(block,row)`, as one number."""
    block, _, row = text.strip().removeprefix("(").removesuffix(")").partition(",")
    if not (block.isdecimal() and row.isdecimal()):
        return None
    return Decimal(int(block) * 65_536 + int(row))
