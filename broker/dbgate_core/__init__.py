"""Pure rules: values in, values out. No sockets, files, clocks, randomness or environment."""
