from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from dbgate_broker.dev.authority import CA_LIFE, LEAF_LIFE, Authority


def leaf(folder: Path, now: datetime | None = None) -> tuple[Authority, Path, Path]:
    authority = Authority(folder, now)
    certificate, key = folder / "leaf.pem", folder / "leaf.key"
    authority.leaf(certificate, key, "test")
    return authority, certificate, key


def handshake(ca_file: Path, certificate: Path, key: Path, name: str) -> str | None:
    """The TLS version agreed on over a socket pair; raises what the client raises."""
    server_side, client_side = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    def serve() -> None:
        try:
            server.wrap_socket(server_side, server_side=True).close()
        except (ssl.SSLError, OSError):
            server_side.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client_side, client.wrap_socket(client_side, server_hostname=name) as wrapped:
            return wrapped.version()
    finally:
        thread.join(10)
        server_side.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_strict_client_takes_the_certificate_for_loopback(tmp_path: Path, name: str) -> None:
    authority, certificate, key = leaf(tmp_path)
    assert handshake(authority.ca_file, certificate, key, name) == "TLSv1.3"


def test_it_is_for_no_other_name(tmp_path: Path) -> None:
    authority, certificate, key = leaf(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.ca_file, certificate, key, "bank.example")


def test_the_authority_is_constrained_to_loopback(tmp_path: Path) -> None:
    ca = x509.load_pem_x509_certificate(Authority(tmp_path).ca_file.read_bytes())
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees is not None
    assert {str(n.value) for n in constraints.value.permitted_subtrees} == {
        "127.0.0.0/8",
        "localhost",
    }


def test_keys_are_closed_and_nothing_is_made_twice(tmp_path: Path) -> None:
    leaf(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    leaf(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    for name in ("ca.key", "leaf.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_certificate_is_renewed_before_it_expires(tmp_path: Path) -> None:
    _, certificate, _ = leaf(tmp_path)
    before, ca = certificate.read_bytes(), (tmp_path / "ca.pem").read_bytes()
    leaf(tmp_path, datetime.now(UTC) + LEAF_LIFE - timedelta(days=50))
    assert certificate.read_bytes() != before
    assert (tmp_path / "ca.pem").read_bytes() == ca


def test_a_new_authority_means_a_new_certificate(tmp_path: Path) -> None:
    _, certificate, _ = leaf(tmp_path)
    before = certificate.read_bytes()
    authority, certificate, _ = leaf(tmp_path, datetime.now(UTC) + CA_LIFE - timedelta(days=50))
    assert certificate.read_bytes() != before
    x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(
        x509.load_pem_x509_certificate(authority.ca_file.read_bytes())
    )


def test_a_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, foreign, foreign_key = leaf(tmp_path / "a")
    before = foreign.read_bytes()
    Authority(tmp_path / "b").leaf(foreign, foreign_key, "test")
    assert foreign.read_bytes() != before
