"""Data classes, masks, and the rewriting of rows."""
