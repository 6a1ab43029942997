"""Entries, Merkle tree, checkpoints, verification."""
