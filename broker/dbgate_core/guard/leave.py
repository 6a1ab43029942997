"""What a guard gives for a text that may run, and what it knows of a statement that does."""

from __future__ import annotations

from dataclasses import dataclass, field

from dbgate_core.audit.statement import Said
from dbgate_core.decision import Decision
from dbgate_core.masking.free_text import Finds
from dbgate_core.masking.rows import MaskedColumn
from dbgate_core.pgwire.guard import STILL, Moved, Permit
from dbgate_core.sql.analysis import Analysis
from dbgate_core.verdicts import Shown


@dataclass(frozen=True, slots=True)
class Leave:
    """The leave to run one text; only a guard makes one.

    The analysis is that of its shape: of the text itself, or of one with other constants.
    `said` is what its begin entries say of it beside the text; a `plain` one changes nothing in how later ones are read.
    `row_cap` is set on what changes rows, where the session may not change any number. `digest` is set when running it uses up an approval;
    `policy` is the version that gave it; `code_seen` counts the statements before it that ran code which cannot be followed; `masked` are
    the columns that its results were found to mask, `exposed` those that policy let pass in clear, with their classes, `shown` a result in which nothing is. `finds` counts what is masked within texts, until that is recorded.
    """

    text: str
    analysis: Analysis
    decision: Decision
    said: Said
    shown: Shown
    row_cap: int | None = None
    plain: bool = False
    digest: str = ""
    moves: Moved = STILL
    code_seen: int = 0
    policy: str = ""
    masked: dict[MaskedColumn, None] = field(default_factory=dict, compare=False)
    exposed: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    finds: Finds = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Begun:
    """A statement that stands in the log, by the index of its begin entry.

    Not frozen, like what else is made for each statement: that triples what making one costs.
    """

    index: int
    leave: Leave
    started_ns: int
    protocol: str
    renamed: int = 0


def mine(permit: Permit) -> Leave:
    """Only a guard makes a Leave. Raises TypeError for anything else."""
    if not isinstance(permit, Leave):
        raise TypeError("a permit that no guard made")
    return permit


def masks_told(leave: Leave, values: int) -> str | None:
    """What was masked in a statement's results, in words; None when nothing was."""
    columns = [f"{column.name} ({column.data_class}, {column.mask})" for column in leave.masked]
    parts = [f"{', '.join(columns)}: {values} values"] if columns and values else []
    parts += [f"{count} {kind} within {name}" for (name, kind), count in leave.finds.items()]
    return f"masked: {'; '.join(parts)}" if parts else None
