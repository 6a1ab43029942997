"""The state store: requests, grants, sessions, leases."""
