"""Data classes of columns by what they hold: evidence in, classes with confidence and reasons out."""
