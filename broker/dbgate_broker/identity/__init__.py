"""OIDC tokens to principals."""

from dbgate_broker.identity.authenticator import Authenticator, Identity

__all__ = ["Authenticator", "Identity"]
