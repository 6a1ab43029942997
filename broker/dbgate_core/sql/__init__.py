"""SQL to effects, with PostgreSQL's own grammar."""
