"""Ephemeral database users: Vault, the lease journal, the reaper."""
