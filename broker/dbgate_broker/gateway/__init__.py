"""The data plane: CONNECT tunnels, PostgreSQL on both sides."""
