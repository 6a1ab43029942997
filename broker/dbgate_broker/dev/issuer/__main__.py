"""`python -m dbgate_broker.dev.issuer URL KEY_FILE STATE_FILE`: serve the issuer on its loopback."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from dbgate_broker.dev.issuer.app import IssuerApp
from dbgate_broker.dev.issuer.tokens import Signer


def main() -> None:
    """Serve until SIGTERM. No access log: request lines hold codes."""
    url, key_file, state_file = sys.argv[1:]
    parts = urlsplit(url)
    app = IssuerApp(Signer.of(url, Path(key_file)), Path(state_file)).build()
    uvicorn.run(
        app,
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 80,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        limit_concurrency=200,
    )


if __name__ == "__main__":
    main()
