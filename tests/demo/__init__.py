"""The demo: the whole story, through the real command line."""
