"""The PostgreSQL wire protocol, sans-io."""
