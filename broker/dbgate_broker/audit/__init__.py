"""The append-only log on disk, its signing key, and its search index."""
