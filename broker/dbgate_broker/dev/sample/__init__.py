"""A shop's data that looks real and is nobody's: seeded, so that every home has the same."""
