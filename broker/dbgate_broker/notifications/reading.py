"""The configured channels, each with what carries it."""

from __future__ import annotations

from collections.abc import Sequence

from dbgate_broker.config import DatabaseConfig, NotificationConfig
from dbgate_broker.notifications.apprise import Apprise
from dbgate_broker.notifications.carrier import Carrier
from dbgate_broker.notifications.webhook import Webhook
from dbgate_core.errors import UsageError


def channels(
    configs: Sequence[NotificationConfig], databases: Sequence[DatabaseConfig]
) -> list[tuple[NotificationConfig, Carrier]]:
    """Read and check all of them; may take a second for each of Apprise. Raises UsageError."""
    names = [config.name for config in configs]
    for config in configs:
        if not config.name or names.count(config.name) > 1:
            raise UsageError("each of [[notifications]] has a name of its own")
        _demand_known(config, databases)
    found = [(config, _carrier(config)) for config in configs]
    for _, carrier in found:
        carrier.check()
    return found


def _carrier(config: NotificationConfig) -> Carrier:
    signed = bool(config.webhook_url and config.webhook_secret_file)
    half = bool(config.webhook_url or config.webhook_secret_file or config.ca_file)
    if config.apprise_url_file and not half:
        return Apprise(config.apprise_url_file)
    if signed and not config.apprise_url_file and config.webhook_secret_file:
        return Webhook(config.webhook_url, config.webhook_secret_file, config.ca_file)
    raise UsageError(
        f"the notifications {config.name!r} need apprise_url_file,"
        " or webhook_url and webhook_secret_file"
    )


def _demand_known(config: NotificationConfig, databases: Sequence[DatabaseConfig]) -> None:
    """A misspelt name would be silence."""
    for wanted, known in (
        (config.databases, {one.name for one in databases}),
        (config.environments, {one.environment for one in databases}),
    ):
        if unknown := sorted(set(wanted) - known):
            raise UsageError(
                f"the notifications {config.name!r} name {unknown[0]!r}, which no database is or has"
            )
