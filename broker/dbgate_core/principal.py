"""Who acts: a verified user, workload or agent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PrincipalKind(StrEnum):
    """The closed set of principal kinds; the values name the Cedar entity types."""

    USER = "User"
    WORKLOAD = "Workload"
    AGENT = "Agent"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified identity.

    `name` is what people read and policies match (`alice`); `issuer` and `subject` are the OIDC
    `iss` and `sub` that prove it. An agent always acts `on_behalf_of` a user or a workload.
    `asserted_agent` is what the session's opener *said* drives it (`--agent NAME`): recorded,
    and kept apart from what a token proves.
    """

    kind: PrincipalKind
    name: str
    issuer: str
    subject: str
    groups: frozenset[str] = frozenset()
    email: str = ""
    on_behalf_of: Principal | None = None
    asserted_agent: str = ""

    @property
    def uid(self) -> str:
        """The stable, unique key: issuer and subject, and the actor's of an agent."""
        return f"{self.issuer}#{self.subject}"

    @property
    def human(self) -> Principal:
        """The principal at the root of the chain: whom an agent acts for, else itself."""
        return self.on_behalf_of.human if self.on_behalf_of else self
