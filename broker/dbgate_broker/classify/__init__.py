"""Looks into the columns of the governed databases, by samples, and keeps what it finds."""
