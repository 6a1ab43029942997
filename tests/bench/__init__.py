"""Measurements: dbgate beside direct PostgreSQL, pgbouncer and haproxy, as ratios taken in one run."""
