"""Who may see whose sessions and requests."""

from __future__ import annotations

from collections.abc import Callable

from dbgate_broker.config import DatabaseConfig
from dbgate_broker.sessions.policy import ConnectPolicy, facts_of
from dbgate_core.approval.people import identity, same_person
from dbgate_core.principal import Principal

Sight = Callable[[Principal, str], bool]
"""Whether what belongs to an owner, of a database by that name, is seen."""


def owns(principal: Principal, owner: Principal) -> bool:
    """Whether it is the principal's own. A person also owns what agents do for her, not they hers."""
    if principal.on_behalf_of is None and same_person(principal, owner):
        return True
    return identity(principal) == identity(owner)


def sight(
    policy: ConnectPolicy,
    databases: dict[str, DatabaseConfig],
    principal: Principal,
    *actions: str,
) -> Sight:
    """What a principal sees: its own, and what belongs to databases where it may do one of `actions`.

    Policy is asked once a database. One that is configured no more is asked about as a whole.
    """
    answers: dict[str, bool] = {}

    def sees(owner: Principal, database: str) -> bool:
        if owns(principal, owner):
            return True
        if database not in answers:
            known = databases.get(database)
            facts = facts_of(known) if known else None
            answers[database] = any(policy.may(principal, a, facts).allowed for a in actions)
        return answers[database]

    return sees
