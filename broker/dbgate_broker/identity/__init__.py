"""OIDC tokens to principals."""
