"""The people, the CI job and the AI agent of developer mode, and what their tokens say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

CLIENT_ID: Final = "dbgate"
AUDIENCE: Final = CLIENT_ID


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the issuer knows. `extra` are claims that no person's token carries.

    Only people sign in; the tokens of the job and the agent are made for files alone, as their
    platforms would make them.
    """

    name: str
    subject: str
    full_name: str = ""
    groups: tuple[str, ...] = ()
    person: bool = True
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """At a domain that is nobody's (RFC 2606)."""
        return f"{self.name}@shop.example"

    def claims(self, scopes: frozenset[str]) -> dict[str, object]:
        """The identity claims that the scopes ask for (OpenID Connect Core 1.0, section 5.4)."""
        found: dict[str, object] = {"sub": self.subject}
        if "profile" in scopes:
            found |= {"preferred_username": self.name, "name": self.full_name or self.name}
        if "email" in scopes and self.full_name:
            found |= {"email": self.email, "email_verified": True}
        if "groups" in scopes:
            found["groups"] = list(self.groups)
        return found | self.extra


ALICE: Final = Identity("alice", "u-1001", "Alice Abara", ("developers",))
PEOPLE: Final = (
    ALICE,
    Identity("bob", "u-1002", "Bob Banerjee", ("dba",)),
    Identity("carol", "u-1003", "Carol Castillo", ("auditors",)),
    Identity("dave", "u-1004", "Dave Dubois"),
)
CI: Final = Identity(
    "ci",
    "repo:shop/backend:ref:refs/heads/main",
    groups=("ci",),
    person=False,
    extra={"workload": "ci"},
)
COPILOT: Final = Identity(
    "alice",
    ALICE.subject,
    ALICE.full_name,
    ALICE.groups,
    person=False,
    extra={"act": {"sub": "copilot"}},
)
"""Alice's token with the agent as its actor (RFC 8693, section 4.1)."""
TOKEN_FILES: Final = {person.name: person for person in PEOPLE} | {"ci": CI, "copilot": COPILOT}
"""Whose ID tokens lie in files, by the name of the file."""


def person(name: str) -> Identity | None:
    """Who signs in by this name."""
    return next((one for one in PEOPLE if one.name == name), None)
