"""The life of a session: open, connect, close, reap."""
