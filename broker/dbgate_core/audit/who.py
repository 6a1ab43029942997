"""Who acts, as audit entries say it: what a token proves, and apart from it what was only said."""

from __future__ import annotations

from dbgate_core.principal import Principal


def who(principal: Principal) -> dict[str, object]:
    """A principal as an entry's JSON object, with the whole chain of whom it acts for.

    `on_behalf_of` is there for agents alone, `asserted_agent` only when an agent was said
    (`--agent NAME`) to drive the session; nothing proves that one.
    """
    known: dict[str, object] = {
        "kind": principal.kind.value,
        "name": principal.name,
        "issuer": principal.issuer,
        "subject": principal.subject,
        "groups": sorted(principal.groups),
    }
    if principal.on_behalf_of is not None:
        known["on_behalf_of"] = who(principal.on_behalf_of)
    if principal.asserted_agent:
        known["asserted_agent"] = principal.asserted_agent
    return known
