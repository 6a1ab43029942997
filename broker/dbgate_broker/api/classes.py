"""Handler of data classes. Where protected values lie is not for everybody, and who looks is recorded."""

from __future__ import annotations

import asyncio
from typing import Final

from dbgate_broker.api.endpoint import Call
from dbgate_broker.api.reading import Nothing
from dbgate_core import contract
from dbgate_core.audit.who import who
from dbgate_core.decision import Verdict
from dbgate_core.errors import Denied

CLASSES_READ: Final = "classes_read"
ACTIONS: Final = ("approve", "audit_read")
"""Who may do one of these for the database sees its classes: those who review, and auditors."""


async def show(call: Call[Nothing, Nothing]) -> contract.DatabaseClasses:
    """What the columns of a database hold.

    1. The database is one that is configured.
    2. Policy lets the principal review or audit there.
    3. That it is shown, or refused, is on record.
    """
    facts = call.services.sessions.facts(call.path["name"])  # 1
    decisions = [call.services.policies.may(call.principal, one, facts) for one in ACTIONS]  # 2
    decision = next((one for one in decisions if one.allowed), decisions[0])
    if (recorder := call.services.recorder) is not None:  # 3
        fields = {
            "scope": {"who": who(call.principal), "database": facts.name},
            "verdict": Verdict.ALLOW.value if decision.allowed else Verdict.DENY.value,
            "policies": list(decision.policies),
        }
        await asyncio.to_thread(recorder.append, CLASSES_READ, fields)
    if not decision.allowed:
        raise Denied(
            f"you may not see where {facts.name} holds protected values",
            hint="reviewers and auditors of the database may",
            rule=", ".join(decision.policies),
        )
    return await call.services.classes.show(facts.name)
