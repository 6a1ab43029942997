"""One row of the API's table: what an endpoint takes and gives, and who answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from dbgate_broker.api.calls import Calls
from dbgate_broker.api.problems import JSON
from dbgate_broker.api.seams import Services
from dbgate_broker.identity.authenticator import Identity
from dbgate_core.errors import NotSignedIn
from dbgate_core.principal import Principal

DEADLINE_S: Final = 10.0
"""As long as the command line waits for an ordinary answer."""

Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """A request that has been read: who asks, with which ids, query and body."""

    services: Services
    calls: Calls
    identity: Identity | None
    path: dict[str, str]
    query: Q
    body: B

    @property
    def signed_in(self) -> Identity:
        """Who asks, with the token's expiry. Raises NotSignedIn at an endpoint without a token."""
        if self.identity is None:
            raise NotSignedIn("sign in first", hint="dbgate login")
        return self.identity

    @property
    def principal(self) -> Principal:
        """Who asks. Raises as `signed_in`."""
        return self.signed_in.principal


Handler = Callable[[Call[Q, B]], Awaitable[object]]
"""Gives the answer's struct or list, or a whole response where the answer is no JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Q, B]):
    """One method of one path.

    `answer` is the type of the answer's JSON; None: its bytes are of type `media`. `body` None: the
    endpoint takes none. `anonymous` endpoints take no token.
    """

    method: str
    path: str
    summary: str
    handler: Handler[Q, B]
    answer: object
    query: type[Q]
    body: type[B] | None = None
    anonymous: bool = False
    deadline_s: float = DEADLINE_S
    media: str = JSON

    @property
    def parameters(self) -> list[str]:
        """The names in the path, in order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
