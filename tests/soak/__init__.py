"""Wearing it out: load with clients killed at random, then the broker killed in mid-load."""
