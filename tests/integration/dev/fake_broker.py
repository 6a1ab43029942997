"""A broker that is only well: it answers `/healthz`, over the certificate of its configuration."""

from __future__ import annotations

import http.server
import ssl
import sys
from pathlib import Path

from dbgate_broker.config import load


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    listen = load(Path(sys.argv[-1])).listen
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(listen.tls_certificate, listen.tls_key)
    server = http.server.ThreadingHTTPServer((listen.host, listen.api_port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
