"""Doubles that ship, one a seam."""
