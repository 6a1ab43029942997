"""What leaves of a statement's results: the masks of rows and copies, and of what a server says beside them."""

from __future__ import annotations

from collections.abc import Sequence

from dbgate_core.errors import Denied
from dbgate_core.guard.leave import Leave
from dbgate_core.guard.sight import Sight
from dbgate_core.limits import LimitedCopy, LimitedRows
from dbgate_core.masking.column_masks import Masking
from dbgate_core.masking.errors import WITHHELD, redact_error
from dbgate_core.masking.free_text import Finds, FreeTexts
from dbgate_core.masking.plan import copy_shows, plan_copy, plan_rows, protected
from dbgate_core.masking.rows import RowMask as Masks
from dbgate_core.pgwire.guard import CopyMask, RowMask
from dbgate_core.pgwire.rows import Field
from dbgate_core.scope import Scope


class Results:
    """Of one connection. `unmasked`: policy lets its principal see everything in clear."""

    def __init__(self, scope: Scope, sight: Sight) -> None:
        self._key = scope.key
        self._budget = scope.budget
        self._sight = sight
        self._meaning = sight.meaning
        self.unmasked = False

    def rows(self, leave: Leave, fields: Sequence[Field]) -> RowMask | None:
        """The mask of a result, or the bound of its rows; None when neither is due."""
        owed, shown = leave.decision.obligations, leave.shown
        if (
            owed.row_limit is None
            and not self._budget.counts_rows
            and shown.fields is fields
            and shown.catalog is self._sight.picture.catalog
            and self._meaning.settled_since(leave.code_seen)
        ):
            return None
        mask = None
        if self._sight.catalog.classes or _sought(leave) is not None:
            mask = self._plan(leave, fields)
        if mask is not None and not owed.mask:
            leave.exposed.update((column.name, column.classes) for column in mask.masked)
            mask = None
        elif mask is not None:
            leave.masked.update(dict.fromkeys(mask.masked))
        if owed.row_limit is None and not self._budget.counts_rows:
            return mask
        return LimitedRows(mask, owed.row_limit, self._budget)

    def _plan(self, leave: Leave, fields: Sequence[Field]) -> Masks | None:
        """The masks of a result. That there is none is remembered, where it rests on nothing else."""
        analysis, text, blurred = self._sight.readable(leave)
        mask = plan_rows(
            fields,
            analysis,
            text,
            self._sight.catalog,
            self._key,
            self._sight.search_path,
            self._meaning.names,
            self._meaning.clean,
            self._meaning.shadows,
            blurred=blurred,
            styles=leave.decision.obligations.styles,
            finds=_sought(leave),
        )
        if mask is None and self._meaning.settled_since(leave.code_seen):
            leave.shown.fields, leave.shown.catalog = fields, self._sight.catalog
        return mask

    def copy_out(self, leave: Leave, binary: bool, columns: int) -> CopyMask | None:
        """The mask of a COPY TO STDOUT; None when nothing in it is to be masked."""
        owed = leave.decision.obligations
        if owed.row_limit is not None or self._budget.no_copies:
            raise Denied("COPY TO is not for those with a row limit", hint="use SELECT")
        mask = self._copy_plan(leave, binary, columns)
        return LimitedCopy(mask, self._budget) if self._budget.counts_rows else mask

    def _copy_plan(self, leave: Leave, binary: bool, columns: int) -> CopyMask | None:
        if not self._sight.catalog.classes and _sought(leave) is None:
            return None
        analysis, text, blurred = self._sight.readable(leave)
        if not leave.decision.obligations.mask:
            path, meaning = self._sight.search_path, self._meaning
            leave.exposed.update(
                copy_shows(
                    text, self._sight.catalog, path, meaning.clean, meaning.shadows, blurred=blurred
                )
            )
            return None
        mask = plan_copy(
            text,
            analysis,
            self._sight.catalog,
            binary,
            columns,
            self._key,
            self._sight.search_path,
            self._meaning.clean,
            self._meaning.shadows,
            blurred=blurred,
            styles=leave.decision.obligations.styles,
            finds=_sought(leave),
        )
        if mask is not None:
            leave.masked.update(dict.fromkeys(mask.masked))
        return mask

    def redact(self, leave: Leave | None, fields: dict[str, str]) -> dict[str, str]:
        """The fields of an ErrorResponse or NoticeResponse without protected values."""
        if self._sight.catalog.classes and not self.unmasked:
            fields = self._redacted(leave, fields)
        finds = None if leave is None else _sought(leave)
        if leave is None or finds is None:
            return fields
        masking = Masking(self._key, leave.decision.obligations.styles, self._sight.catalog)
        return FreeTexts(masking, finds).of_error(fields)

    def _redacted(self, leave: Leave | None, fields: dict[str, str]) -> dict[str, str]:
        if leave is None:
            return redact_error(fields, True)
        if not leave.decision.obligations.mask:
            return fields
        analysis = self._sight.readable(leave)[0]
        shadowed = analysis is not None and self._meaning.shadowed(analysis)
        touched = protected(
            analysis, self._sight.catalog, self._sight.search_path, self._meaning.clean
        )
        return redact_error(fields, touched or shadowed)

    def notification(self, payload: str) -> str:
        """A NOTIFY payload may hold what a trigger put there: it passes only where nothing is masked."""
        protects = self._sight.catalog.classes and not self.unmasked
        return WITHHELD if payload and protects else payload


def _sought(leave: Leave) -> Finds | None:
    """Where to count what is masked within texts; None where they are shown."""
    owed = leave.decision.obligations
    return leave.finds if owed.mask and owed.free_text else None
