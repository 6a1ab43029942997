"""The I/O shell: API, identity, credentials, gateway, stores, developer mode."""
