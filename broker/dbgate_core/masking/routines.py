"""Functions of users: whether their bodies read anything protected, and whether they give more than their arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.behaviour import Routine
from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.functions import OPEN, SENSITIVE_SYSTEM, SETTINGS
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.analysis import Analysis
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import FOLLOWED

_TELLING: Final = OPEN | SETTINGS


def passes_arguments(name: str, catalog: Catalog) -> bool:
    """Does every function of that name, in whatever schema, give nothing but what it makes of its arguments.

    So it is when its body can be read, changes nothing, and reads only relations that hold nothing protected, those of
    the same name elsewhere too. Remembered with the catalog.
    """
    key = ("passes arguments", name)
    known = catalog.remembered.get(key)
    if known is None:
        found = called(catalog.behaviour.named((name,)), catalog)
        known = catalog.remembered[key] = found is not None and _only_computes(found, catalog)
    return known


def _only_computes(found: Analysis, catalog: Catalog) -> bool:
    changes = found.writes or found.portals or not all(map(_is_harmless, found.effects))
    unknown = any(not catalog.named(relation.name) for relation in found.reads)
    return not (changes or unknown or _may_read(found, catalog))


def may_read_protected(routine: Routine, catalog: Catalog) -> bool:
    """May a function read anything protected beside what it is given, or is not all of it understood. Remembered, too."""
    key = ("may read protected", routine.oid)
    known = catalog.remembered.get(key)
    if known is None:
        found = called([routine], catalog)
        known = catalog.remembered[key] = found is None or _may_read(found, catalog)
    return known


def _may_read(found: Analysis, catalog: Catalog) -> bool:
    if found.incomplete or any(map(_is_unread, found.effects)):
        return True
    if any(name.rpartition(".")[2] in _TELLING for name in found.functions):
        return True
    names = {relation.name for relation in found.reads}
    return bool(names & SENSITIVE_SYSTEM) or any(
        relation.classes for name in names for relation in catalog.named(name)
    )


def called(routines: Iterable[Routine], catalog: Catalog) -> Analysis | None:
    """What calls of the functions do, and of their namesakes in their schemas; None where there are none."""
    names = sorted({(routine.schema, routine.name) for routine in routines})
    if not names:
        return None
    calls = ('"."'.join(part.replace('"', '""') for part in name) for name in names)
    try:
        return analyse("select " + ", ".join(f'"{call}"()' for call in calls), catalog)
    except DbgateError:
        return None


def _is_unread(effect: Effect) -> bool:
    return effect.action is Action.CALL and not effect.detail.startswith(FOLLOWED)


def _is_harmless(effect: Effect) -> bool:
    reads = effect.action is Action.SELECT and effect.danger is Danger.NONE
    return reads or (effect.action is Action.CALL and not _is_unread(effect))
