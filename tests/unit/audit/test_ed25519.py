"""Ed25519 against the vectors of RFC 8032 section 7.1, OpenSSL, and the known forgeries."""

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dbgate_core.audit import ed25519

VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
        "1cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
        "984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
        "6431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc(key: str, message: bytes, signature: str) -> None:
    public, signed = bytes.fromhex(key), bytes.fromhex(signature)
    assert ed25519.verify(public, message, signed)
    assert not ed25519.verify(public, message + b"x", signed)
    for position in range(0, 64, 7):
        wrong = bytearray(signed)
        wrong[position] ^= 1
        assert not ed25519.verify(public, message, bytes(wrong))


def test_what_openssl_signs() -> None:
    for number in range(20):
        private = Ed25519PrivateKey.generate()
        message = b"m" * number
        public = private.public_key().public_bytes_raw()
        assert ed25519.verify(public, message, private.sign(message))
        assert not ed25519.verify(public, message + b"m", private.sign(message))


def test_a_second_form_of_a_signature_is_refused() -> None:
    """S + L fits the equation as well: a signature could be altered without the key."""
    key, message, signature = VECTORS[1]
    signed = bytes.fromhex(signature)
    s = int.from_bytes(signed[32:], "little") + ed25519.L
    assert not ed25519.verify(bytes.fromhex(key), message, signed[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("key", SMALL_ORDER)
def test_a_key_of_small_order_verifies_nothing(key: str) -> None:
    """With these keys the neutral R and S = 0 would be a signature of (many) messages."""
    forged = (1).to_bytes(32, "little") + bytes(32)
    assert not any(ed25519.verify(bytes.fromhex(key), b"%d" % n, forged) for n in range(16))


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (b"", bytes(64)),
        (bytes(31), bytes(64)),
        (bytes.fromhex(VECTORS[0][0]), b""),
        (bytes.fromhex(VECTORS[0][0]), bytes(65)),
        (ed25519.P.to_bytes(32, "little"), bytes(64)),
        ((2).to_bytes(32, "little"), bytes(64)),
        (b"\xff" * 32, bytes(64)),
    ],
)
def test_what_is_no_key_or_signature_is_refused(key: bytes, signature: bytes) -> None:
    assert not ed25519.verify(key, b"m", signature)
