"""A small OIDC issuer for developer mode: it knows four people and asks no password."""
