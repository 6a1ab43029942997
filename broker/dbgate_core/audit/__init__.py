"""The audit log as bytes: entries, chain, Merkle tree, checkpoints and their verification.

`canonical` makes lines, `chain` links them, `merkle` and `note` seal them, `verify` reads it all
back. Everything here is pure and light, so that the command line verifies offline with the same
code; docs/audit.md describes the format for those who would rather not use it.
"""
