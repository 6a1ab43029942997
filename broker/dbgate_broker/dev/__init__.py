"""Developer mode: everything on one machine."""
