"""How much masks leave, by data class: what `@mask` of a policy says.

Written as `STYLE` for all classes, or as a list: `token, birth_date:generalise, secret:null`. What
stands without a class is for those that are not named, and `partial` where nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dbgate_core.masking.classes import DataClass


class MaskStyle(StrEnum):
    """How much a mask leaves of a value; what comes later leaves less.

    `partial` keeps what people need where the class has such a form (the last four, a domain),
    `generalise` the year of a date and the size of a number and nothing of all else, `token` only
    tells different values apart, `redact` not even that, `null` gives NULL.
    """

    PARTIAL = "partial"
    GENERALISE = "generalise"
    TOKEN = "token"  # noqa: S105 - a style
    REDACT = "redact"
    NULL = "null"


_STRICTNESS: Final = {style: rank for rank, style in enumerate(MaskStyle)}


def strictest(styles: Iterable[MaskStyle]) -> MaskStyle:
    """The one that leaves least.

    `generalise` and `token` leave different things, so that both together leave neither.
    """
    found = set(styles)
    if {MaskStyle.GENERALISE, MaskStyle.TOKEN} <= found:
        found.add(MaskStyle.REDACT)
    return max(found, key=_STRICTNESS.__getitem__, default=MaskStyle.PARTIAL)


@dataclass(frozen=True, slots=True)
class MaskStyles:
    """A style for each class: those that are named, in order of their names, and the others'."""

    others: MaskStyle = MaskStyle.PARTIAL
    named: tuple[tuple[DataClass, MaskStyle], ...] = ()

    def of(self, classes: Iterable[DataClass]) -> MaskStyle:
        """The style of what carries all these classes: the strictest of theirs."""
        named = dict(self.named)
        return strictest(named.get(data_class, self.others) for data_class in classes)


PARTIAL_FOR_ALL: Final = MaskStyles()


def strictest_of(every: Iterable[MaskStyles]) -> MaskStyles:
    """For each class the strictest of what is said of it."""
    distinct = set(every)
    if len(distinct) < 2:
        return distinct.pop() if distinct else PARTIAL_FOR_ALL
    others = strictest(styles.others for styles in distinct)
    classes = sorted({data_class for styles in distinct for data_class, _ in styles.named})
    return MaskStyles(others, tuple((c, strictest(s.of((c,)) for s in distinct)) for c in classes))


def parse_styles(text: str) -> tuple[MaskStyles, list[str]]:
    """What the text says, and everything that is wrong with it."""
    errors: list[str] = []
    found: dict[str, MaskStyle] = {}
    for item in text.split(","):
        name, colon, style = (part.strip() for part in item.rpartition(":"))
        if style not in list(MaskStyle):
            errors.append(f"{style!r} is none of {', '.join(MaskStyle)}")
        elif colon and name not in list(DataClass):
            errors.append(f"{name!r} is none of {', '.join(DataClass)}")
        elif name in found:
            errors.append(f"{name or 'what is without a class'} has two styles")
        else:
            found[name] = MaskStyle(style)
    others = found.pop("", MaskStyle.PARTIAL)
    named = tuple((DataClass(name), found[name]) for name in sorted(found) if not errors)
    return MaskStyles(others, named), errors
