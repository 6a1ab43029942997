"""Which columns of a result or of COPY data are masked, and how.

A column that RowDescription traces to a table column (table OID and attribute number) has that
column's classes. A computed one has the classes that its lineage finds; rows given back by
INSERT, UPDATE, DELETE and MERGE have both, for what was written may come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from dbgate_core.catalog import FIRST_USER_OID, Catalog, RelationKind
from dbgate_core.errors import Denied
from dbgate_core.masking.binary_copy import BinaryCopyMask
from dbgate_core.masking.carried import CLEAN, Carried, Outputs, computed, either
from dbgate_core.masking.codecs import BINARY_FORMAT, TEXT_FORMAT
from dbgate_core.masking.column_masks import Masking, OutputColumn
from dbgate_core.masking.copy import CopyMask
from dbgate_core.masking.copy_options import copy_format, is_binary
from dbgate_core.masking.foreseen import foreseen
from dbgate_core.masking.free_text import Finds, FreeTexts
from dbgate_core.masking.key import MaskKey
from dbgate_core.masking.rows import ColumnMask, MaskedColumn, RowMask
from dbgate_core.masking.scope import Scope
from dbgate_core.masking.statements import copies, may_write, result_outputs
from dbgate_core.masking.styles import PARTIAL_FOR_ALL, MaskStyles
from dbgate_core.masking.types import character_limit
from dbgate_core.native.masks import copy_mask, row_mask

if TYPE_CHECKING:
    from dbgate_core.sql.analysis import Analysis

DEFAULT_SEARCH_PATH: Final = ("public",)
VOID: Final = 2278
"""The OID of the type whose values are all the same nothing (pg_type.dat)."""
MAX_REMEMBERED: Final = 4_096
"""The lineage of texts up to this many characters is remembered: 1,024 of them, 4 MB at most."""


class ResultColumn(Protocol):
    """What a RowDescription says of a column; `dbgate_core.pgwire.rows.Field` is one."""

    @property
    def name(self) -> str: ...
    @property
    def table_oid(self) -> int: ...
    @property
    def attnum(self) -> int: ...
    @property
    def type_oid(self) -> int: ...
    @property
    def type_modifier(self) -> int: ...
    @property
    def format(self) -> int: ...


def plan_rows(
    fields: Sequence[ResultColumn],
    analysis: Analysis | None,
    text: str,
    catalog: Catalog,
    key: MaskKey,
    search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
    names: Mapping[str, str] | None = None,
    clean: frozenset[str] = frozenset(),
    shadows: frozenset[str] = frozenset(),
    *,
    blurred: bool = False,
    styles: MaskStyles = PARTIAL_FOR_ALL,
    finds: Finds | None = None,
) -> RowMask | None:
    """The mask of a result; None when every column may be shown.

    `names` gives the texts behind the names of PREPAREd statements and cursors, for EXECUTE and
    FETCH; without it computed columns of those are masked. `clean` names the connection's temporary
    tables that hold nothing protected; of others every column is masked. `shadows` are the names of
    them all, which may stand before those of the catalog. `blurred`: the names of relations, of their
    columns too, may mean something else than the catalog says. With `finds` the texts of all other columns are read
    for what stands within, and what is masked there is counted in it.
    """
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
    lineage = _Lineage(text, scope, names or {})
    masking = Masking(key, styles, catalog)
    texts = None if finds is None else FreeTexts(masking, finds)
    masks: list[ColumnMask] = []
    for index, field in enumerate(fields):
        carried = _field_carries(field, index, len(fields), lineage, scope)
        if carried is None:
            carried = CLEAN if _only_clean(analysis, scope) else scope.anything
        if carried.clean and texts is None:
            continue
        limit = character_limit(field.type_oid, field.type_modifier)
        column = OutputColumn(index, field.name, field.type_oid, field.format, limit)
        masks += _masks(masking, texts, column, carried)
    return row_mask(len(fields), masks) if masks else None


def _masks(
    masking: Masking, texts: FreeTexts | None, column: OutputColumn, carried: Carried
) -> list[ColumnMask]:
    """The one mask of a column, or none."""
    if not carried.clean:
        return [masking.of(column, carried)]
    mask = None if texts is None else texts.of(column)
    return [] if mask is None else [mask]


@lru_cache(maxsize=1_024)
def _remembered(
    text: str, catalog: Catalog, search_path: tuple[str, ...]
) -> tuple[tuple[Outputs, bool], ...]:
    return result_outputs(text, Scope(catalog, search_path), {})


@foreseen
def _foreseen(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...],
    names: tuple[tuple[str, str], ...],
    clean: frozenset[str],
    shadows: frozenset[str],
    blurred: bool,
) -> tuple[tuple[Outputs, bool], ...]:
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
    return result_outputs(text, scope, dict(names))


def _results(text: str, scope: Scope, names: Mapping[str, str]) -> tuple[tuple[Outputs, bool], ...]:
    """As `result_outputs`, remembered where texts come again, and of long ones for their run."""
    special = names or scope.clean or scope.shadows or scope.blurred
    if len(text) <= MAX_REMEMBERED and not special:
        return _remembered(text, scope.catalog, scope.search_path)
    held, place = tuple(names.items()), (scope.catalog, scope.search_path)
    return _foreseen(text, *place, held, scope.clean, scope.shadows, scope.blurred)


def foresee_rows(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...],
    names: Mapping[str, str],
    clean: frozenset[str],
    shadows: frozenset[str],
    *,
    blurred: bool,
) -> None:
    """Find what the columns of a long text's results carry, so that `plan_rows` need not."""
    if catalog.classes:
        scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
        _results(text, scope, names)


class _Lineage:
    """The outputs of a text, found when first asked for: many results never ask."""

    def __init__(self, text: str, scope: Scope, names: Mapping[str, str]) -> None:
        self._text, self._scope, self._names = text, scope, names
        self._found: tuple[tuple[Outputs, bool], ...] | None = None

    def results(self) -> tuple[tuple[Outputs, bool], ...]:
        if self._found is None:
            self._found = _results(self._text, self._scope, self._names)
        return self._found

    def carries(self, index: int, count: int) -> Carried:
        """What a computed column carries, whichever statement of the text the result is of."""
        fitting = [o for o, _ in self.results() if o.columns is None or len(o.columns) == count]
        if not fitting:
            return self._scope.anything
        return either(outputs.at(index, count) for outputs in fitting)

    @property
    def writes(self) -> bool:
        return may_write(self._text) and any(writes for _, writes in self.results())


def _field_carries(
    field: ResultColumn, index: int, count: int, lineage: _Lineage, scope: Scope
) -> Carried | None:
    """What a column of the result carries; None for one of a relation that the catalog lacks."""
    if field.type_oid == VOID:
        return CLEAN
    if field.table_oid == 0:
        return lineage.carries(index, count)
    stored = _stored(field, scope)
    if stored is None or field.table_oid < FIRST_USER_OID:
        return stored
    return either([stored, lineage.carries(index, count)]) if lineage.writes else stored


def _stored(field: ResultColumn, scope: Scope) -> Carried | None:
    """What a column of a table carries, by table OID and attribute number.

    None for a temporary table, or one that is newer than the catalog.
    """
    relation = scope.catalog.by_oid(field.table_oid)
    if relation is None:
        return CLEAN if field.table_oid < FIRST_USER_OID else None
    if relation.temporary:
        return None
    if relation.kind is RelationKind.SEQUENCE:
        return CLEAN
    if field.attnum < 0:
        return CLEAN  # ctid, xmin, tableoid ...
    if field.attnum == 0:  # the whole row
        return Carried(relation.classes, derived=True) if relation.classes else CLEAN
    column = relation.by_attnum(field.attnum)
    if column is None:
        return scope.anything
    return Carried(column.classes, column.derived, column.type_oid) if column.classes else CLEAN


def _only_clean(analysis: Analysis | None, scope: Scope) -> bool:
    """Does the statement read clean temporary tables and no other relation."""
    if analysis is None or analysis.incomplete or not analysis.reads:
        return False
    return all(scope.is_clean(relation.schema, relation.name) for relation in analysis.reads)


def plan_copy(
    text: str,
    analysis: Analysis | None,
    catalog: Catalog,
    binary: bool,
    columns: int,
    key: MaskKey,
    search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
    clean: frozenset[str] = frozenset(),
    shadows: frozenset[str] = frozenset(),
    *,
    blurred: bool = False,
    styles: MaskStyles = PARTIAL_FOR_ALL,
    finds: Finds | None = None,
) -> CopyMask | BinaryCopyMask | None:
    """The mask of COPY ... TO STDOUT data; None when every column may be shown.

    `columns` is the number that CopyOutResponse gave. Raises Denied when a protected column is
    copied in another encoding, or cannot be told from its neighbours. In binary what is computed is
    NULL: only of a plain column the type is known. `finds` as in `plan_rows`; then nothing is copied in binary.
    """
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
    found = copies(text, catalog, search_path, clean, shadows, blurred)
    everything = computed(copied.outputs.everything for copied in found)
    if not found:
        everything = scope.anything
    if everything.clean and finds is None:
        return None
    if binary and finds is not None:
        raise Denied(
            "texts are read before they leave, and those of a binary COPY cannot be",
            hint="use the text or csv format",
            code="masking.copy_refused",
        )
    if len(found) != 1:
        raise _refused("its columns cannot be told")
    outputs, options = found[0].outputs, found[0].options
    if outputs.columns is None or len(outputs.columns) != columns:
        raise _refused("its columns cannot be told")
    if binary is not is_binary(options):
        raise _refused("its format is not the one that was asked for")
    if not binary and options.get("encoding", "utf8").lower().replace("-", "") not in (
        "utf8",
        "unicode",
    ):
        raise _refused("only UTF-8 can be masked")
    masking = Masking(key, styles, catalog)
    texts = None if finds is None else FreeTexts(masking, finds)
    code = BINARY_FORMAT if binary else TEXT_FORMAT
    masks: list[ColumnMask] = []
    for index, (name, carried) in enumerate(outputs.columns):
        column = OutputColumn(index, name, carried.type_oid, code)
        masks += _masks(masking, texts, column, carried)
    if not masks:
        return None
    if binary:
        return BinaryCopyMask(columns, masks)
    return copy_mask(columns, masks, copy_format(options))


def copy_shows(
    text: str,
    catalog: Catalog,
    search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
    clean: frozenset[str] = frozenset(),
    shadows: frozenset[str] = frozenset(),
    *,
    blurred: bool = False,
) -> dict[str, tuple[str, ...]]:
    """The classes of what a COPY ... TO STDOUT shows unmasked, by column; `*` for any of them."""
    scope = Scope(catalog, search_path, clean=clean, shadows=shadows, blurred=blurred)
    found = copies(text, catalog, search_path, clean, shadows, blurred)
    shown: dict[str, tuple[str, ...]] = {}
    for outputs in [copied.outputs for copied in found] or [Outputs(None, scope.anything)]:
        for name, carried in outputs.columns or (("*", outputs.everything),):
            if not carried.clean:
                shown[name] = tuple(sorted(carried.classes))
    return shown


def _refused(why: str) -> Denied:
    return Denied(
        f"this COPY reads protected columns, and {why}",
        hint="use COPY (SELECT the columns that are needed) TO STDOUT",
        code="masking.copy_refused",
    )


_RUNS_MORE: Final = frozenset({"call", "do", "unknown", "transaction"})


def protected(
    analysis: Analysis | None,
    catalog: Catalog,
    search_path: tuple[str, ...] = DEFAULT_SEARCH_PATH,
    clean: frozenset[str] = frozenset(),
) -> bool:
    """May the statement touch protected values: then its error texts are redacted, too.

    True for what is not understood, for relations with protected columns, for what is behind a name,
    for calls of functions that are not the system's own, and for COMMIT, which checks what was
    deferred.
    """
    if not catalog.classes:
        return False
    if analysis is None or analysis.incomplete or analysis.runs:
        return True
    scope = Scope(catalog, search_path, clean=clean)
    relations = analysis.reads | analysis.writes
    if any(scope.relation(r.schema, r.name, "").row.classes for r in relations):
        return True
    return any(str(effect.action) in _RUNS_MORE for effect in analysis.effects)


__all__ = [
    "BINARY_FORMAT",
    "CopyMask",
    "MaskKey",
    "MaskedColumn",
    "RowMask",
    "copy_shows",
    "plan_copy",
    "plan_rows",
    "protected",
]
