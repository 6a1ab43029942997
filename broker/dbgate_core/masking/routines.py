"""Functions of users whose result holds nothing but what they are given: their bodies read nothing protected."""

from __future__ import annotations

from typing import Final

from dbgate_core.catalog import Catalog
from dbgate_core.errors import DbgateError
from dbgate_core.masking.functions import OPEN, SENSITIVE_SYSTEM, SETTINGS
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.effects import Action, Danger, Effect
from dbgate_core.sql.following import FOLLOWED

_TELLING: Final = OPEN | SETTINGS
_HARMLESS: Final = frozenset({Action.SELECT, Action.CALL})


def passes_arguments(name: str, catalog: Catalog) -> bool:
    """Does every function of that name, in whatever schema, give nothing but what it makes of its arguments.

    So it is when its body can be read, changes nothing, and reads only relations that hold nothing protected, those of
    the same name elsewhere too. Remembered with the catalog.
    """
    key = ("passes arguments", name)
    known = catalog.remembered.get(key)
    if known is None:
        known = catalog.remembered[key] = _passes_arguments(name, catalog)
    return known


def _passes_arguments(name: str, catalog: Catalog) -> bool:
    routines = list(catalog.behaviour.named((name,)))
    if not routines:
        return False
    quoted = name.replace('"', '""')
    schemas = {routine.schema.replace('"', '""') for routine in routines}
    calls = ", ".join(f'"{schema}"."{quoted}"()' for schema in sorted(schemas))
    try:
        found = analyse(f"select {calls}", catalog)
    except DbgateError:
        return False
    if (
        found.incomplete
        or found.writes
        or found.portals
        or not all(map(_is_harmless, found.effects))
    ):
        return False
    if any(called.rpartition(".")[2] in _TELLING for called in found.functions):
        return False
    names = {relation.name for relation in found.reads}
    namesakes = [relation for name in names for relation in catalog.named(name)]
    return len({relation.name for relation in namesakes}) == len(names) and not any(
        relation.classes or relation.name in SENSITIVE_SYSTEM for relation in namesakes
    )


def _is_harmless(effect: Effect) -> bool:
    if effect.action is Action.CALL:
        return effect.detail.startswith(FOLLOWED)
    return effect.action in _HARMLESS and effect.danger is Danger.NONE
