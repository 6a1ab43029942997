"""The catalog of a governed database, read and cached."""
