"""Principals as the store keeps them: JSON, with the whole chain of on-behalf-of."""

from __future__ import annotations

import msgspec

from dbgate_core.principal import Principal


def encode_principal(principal: Principal) -> str:
    """A principal as JSON."""
    return msgspec.json.encode(principal, order="deterministic").decode()


def decode_principal(text: str) -> Principal:
    """A principal from JSON. Raises msgspec.DecodeError for what the store did not write."""
    return msgspec.json.decode(text, type=Principal)
