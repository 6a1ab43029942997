"""The rules of access requests and votes."""
