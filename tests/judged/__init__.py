"""Texts of other projects, judged: what of them is not understood, and why that is right."""
