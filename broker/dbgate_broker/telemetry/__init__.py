"""What an operator sees of a broker: metrics, traces, logs, and whether it is ready."""
