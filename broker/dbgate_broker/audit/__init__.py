"""The append-only log on disk, and its search."""
