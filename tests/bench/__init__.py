"""Measurements: dbgate beside direct PostgreSQL and pgbouncer, as ratios taken in one run."""
