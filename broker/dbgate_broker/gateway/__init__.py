"""The data plane: CONNECT tunnels, PostgreSQL on both sides."""

from dbgate_broker.gateway.limits import Limits
from dbgate_broker.gateway.server import Gateway

__all__ = ["Gateway", "Limits"]
