"""The command line: what people type. Holds a token, talks to the broker, decides nothing."""
