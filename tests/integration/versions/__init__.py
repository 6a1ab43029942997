"""dbgate before each PostgreSQL that is supported, 13 to 18."""
