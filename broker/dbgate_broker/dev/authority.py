"""The local certificate authority, and the certificates of the broker and of PostgreSQL.

The authority may sign for this machine's loopback alone (RFC 5280, section 4.2.1.10): who trusts
it for developer mode does not trust it for the rest of the world.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dbgate_broker.dev import files
from dbgate_core.errors import UsageError

CA_LIFE: Final = timedelta(days=3650)
LEAF_LIFE: Final = timedelta(days=397)
"""What TLS clients accept at most (CA/Browser Forum, section 6.3.2, until 2026)."""
RENEW_BEFORE: Final = timedelta(days=60)
SKEW: Final = timedelta(hours=1)
ADDRESS: Final = ipaddress.IPv4Address("127.0.0.1")
NAME: Final = "localhost"

Key = ec.EllipticCurvePrivateKey


class Authority:
    """The authority of a home; made at first use, and again when it is about to expire."""

    def __init__(self, folder: Path, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self.ca_file = folder / "ca.pem"
        key_file = folder / "ca.key"
        if not (key_file.exists() and self.ca_file.exists() and self._lasts(self.ca_file)):
            self._make(key_file)
        self._key = _read_key(key_file)
        self._certificate = _read_certificate(self.ca_file)

    def leaf(self, certificate: Path, key: Path, common_name: str) -> None:
        """See to it that there is a server certificate for 127.0.0.1 and localhost.

        One that is ours and lasts is left as it is.
        """
        if certificate.exists() and key.exists() and self._is_ours(certificate):
            return
        private = ec.generate_private_key(ec.SECP256R1())
        files.write(key, _pem(private))
        files.write(certificate, self._sign(private, common_name), files.PUBLIC)

    def _lasts(self, file: Path) -> bool:
        return _read_certificate(file).not_valid_after_utc - self._now > RENEW_BEFORE

    def _is_ours(self, file: Path) -> bool:
        try:
            _read_certificate(file).verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, UsageError, InvalidSignature):
            return False
        return self._lasts(file)

    def _make(self, key_file: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"dbgate developer mode {key.public_key().public_numbers().x % 10**8:08d}")
        permitted = [x509.IPAddress(ipaddress.IPv4Network("127.0.0.0/8")), x509.DNSName(NAME)]
        subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            self._builder(name, name, key, CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(subject, critical=False)
            .sign(key, hashes.SHA256())
        )
        files.write(key_file, _pem(key))
        files.write(
            self.ca_file, certificate.public_bytes(serialization.Encoding.PEM), files.PUBLIC
        )

    def _sign(self, key: Key, common_name: str) -> bytes:
        names = [x509.IPAddress(ADDRESS), x509.DNSName(NAME)]
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            self._builder(_name(common_name), self._certificate.subject, key, LEAF_LIFE)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(subject_key, critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: Key, life: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - SKEW)
            .not_valid_after(self._now + life)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read_key(file: Path) -> Key:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except ValueError as exc:
        raise UsageError(f"{file} is no key", hint="remove the folder it is in") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError(f"{file} is not an elliptic curve key", hint="remove the folder it is in")
    return key


def _read_certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError as exc:
        raise UsageError(f"{file} is no certificate", hint="remove the folder it is in") from exc
