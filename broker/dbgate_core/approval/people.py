"""Who is the same person: an agent is whom it acts for, a second account is its owner."""

from __future__ import annotations

from typing import Final

from dbgate_core.principal import Principal, PrincipalKind

FOR: Final = " for "
"""Joins an agent's key with that of whom it acts for; `uid`s are URLs and hold no blank."""


def identity(principal: Principal) -> str:
    """The key of exactly this principal: an agent of alice is neither alice nor an agent of bob.

    A grant belongs to one identity. What a session merely asserts (`--agent`) is not part of it.
    """
    key = f"{principal.kind.value}:{principal.uid}"
    if principal.on_behalf_of is None:
        return key
    return f"{key}{FOR}{identity(principal.on_behalf_of)}"


def same_person(one: Principal, other: Principal) -> bool:
    """Whether one person (or workload) stands behind both, whatever agents act in between.

    The same e-mail address at two issuers counts as the same person: this only ever refuses.
    """
    a, b = one.human, other.human
    if a.uid == b.uid:
        return True
    return bool(a.email) and a.email.casefold() == b.email.casefold()


def is_person(principal: Principal) -> bool:
    """Whether a person acts, by a token that proves it and with no agent said to drive it."""
    return (
        principal.kind is PrincipalKind.USER
        and principal.on_behalf_of is None
        and not principal.asserted_agent
    )
