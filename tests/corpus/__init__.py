"""Attacks that work on PostgreSQL and must not work through dbgate, and harmless statements that must."""
