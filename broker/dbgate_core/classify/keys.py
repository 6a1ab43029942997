"""What opens something: signed tokens, keys of well-known services, hashes of passwords, key files."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from typing import Final

JWT: Final = re.compile(r"(?:Bearer )?(eyJ[\w-]{8,})\.(eyJ[\w-]{8,})\.([\w-]*)", re.ASCII)
SERVICE_KEYS: Final = re.compile(
    r"""(?x) (?<![A-Za-z0-9])(?:
      (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}                   # Amazon Web Services
    | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_\w{50,}        # GitHub
    | gl(?:pat|dt|rt|ptt|soat)-[\w-]{20,}                    # GitLab
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | xapp-\d-[A-Za-z0-9-]{20,}   # Slack
    | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9+/=]{24,}   # Stripe
    | sk-(?:ant-|proj-|or-)?[\w-]{24,}                       # OpenAI, Anthropic
    | AIza[\w-]{35} | ya29\.[\w-]{20,} | GOCSPX-[\w-]{20,}   # Google
    | SG\.[\w-]{16,}\.[\w-]{16,}                             # SendGrid
    | key-[0-9a-f]{32} | SK[0-9a-f]{32} | AC[0-9a-f]{32}     # Mailgun, Twilio
    | npm_[A-Za-z0-9]{36} | pypi-[\w-]{50,} | rubygems_[0-9a-f]{48}
    | do[opr]_v1_[0-9a-f]{64} | hvs\.[\w-]{20,} | hf_[A-Za-z0-9]{30,}
    | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32} | lin_api_[A-Za-z0-9]{32,}
    | sq0(?:atp|csp)-[\w-]{22,} | EAAA[\w-]{50,} | dckr_pat_[\w-]{20,}
    | NRAK-[A-Z0-9]{27} | PMAK-[0-9a-f-]{50,} | figd_[\w-]{30,} | glsa_[\w-]{30,}
    | \d{8,10}:AA[\w-]{32,}                                  # Telegram
    )(?![A-Za-z0-9])"""
)
_PASSWORD_HASH: Final = re.compile(
    r"""(?x)
      \$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}                    # bcrypt
    | \$argon2(?:id?|d)\$v=\d+\$.+
    | \$(?:1|5|6|7|y|gy|sm3|md5|sha1)\$[^\s]{8,}             # crypt(5)
    | \$(?:scrypt|pbkdf2(?:-sha\d+)?|bcrypt-sha256)\$[^\s]{16,}
    | (?:pbkdf2_sha\d+|bcrypt_sha256|argon2|scrypt|sha1|md5)\$[^\s]{16,}   # Django
    | (?:pbkdf2|scrypt):[^\s]{20,}                           # Werkzeug
    | \{(?:SSHA|SHA|SMD5|CRYPT|PBKDF2|SSHA\d{3}|ARGON2)[^}]{0,12}\}[^\s]{8,}   # LDAP
    | SCRAM-SHA-(?:1|256|512)\$\d+:[^\s]{20,} | md5[0-9a-f]{32}   # PostgreSQL
    | \$[PHS]\$[./A-Za-z0-9]{31,}                            # phpass, Drupal
    """
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z]{2,9} )?(?:ENCRYPTED )?PRIVATE KEY(?: BLOCK)?-----"
    r"|PuTTY-User-Key-File-\d|AGE-SECRET-KEY-1[A-Z0-9]{40,}"
)
_URL_PASSWORD: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:[^\s/@]{1,200}@[^\s/]")
_OPAQUE: Final = re.compile(r"[A-Za-z0-9+/_=.~-]{24,512}", re.ASCII)
_DIGEST: Final = re.compile(r"(?:0x)?[0-9a-fA-F-]+|(?:sha-?\d+|md5|blake2\w?)[-:=].*")
MIN_BITS: Final = 3.9
"""A character of 24 random ones of base64 has 4.1 to 4.6 bits; words and paths have about 3.5."""
MIN_KINDS: Final = 3


def is_jwt(text: str) -> bool:
    """A JSON Web Token (RFC 7519) whose header says how it is signed."""
    found = JWT.fullmatch(text)
    if found is None:
        return False
    try:
        header = json.loads(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    except (ValueError, binascii.Error):
        return False
    return isinstance(header, dict) and "alg" in header


def holds_service_key(text: str) -> bool:
    """A key whose prefix names the service that gave it."""
    return SERVICE_KEYS.search(text) is not None


def is_password_hash(text: str) -> bool:
    """A verifier of a password in a format that says so itself."""
    return _PASSWORD_HASH.fullmatch(text) is not None


def holds_private_key(text: str) -> bool:
    """A private key as a file holds it."""
    return _PRIVATE_KEY.search(text) is not None


def holds_url_password(text: str) -> bool:
    """A URL with a user's password in it."""
    return "://" in text and _URL_PASSWORD.search(text) is not None


def is_random_token(text: str) -> bool:
    """Long, of mixed characters without a pattern, and no digest in hexadecimal or encoded text."""
    if not _OPAQUE.fullmatch(text) or _DIGEST.fullmatch(text):
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    if sum(any(kind(char) for char in text) for kind in kinds) < MIN_KINDS:
        return False
    return entropy(text) >= MIN_BITS and not _encoded_text(text) and not _in_words(text)


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def _encoded_text(text: str) -> bool:
    """Base64 of something that can be read."""
    try:
        plain = base64.b64decode(text.translate({45: 43, 95: 47}) + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return False
    return sum(32 <= byte < 127 for byte in plain) > 0.9 * len(plain)


def _in_words(text: str) -> bool:
    """Most of it is runs of lower-case letters: a slug, a path, a class name."""
    words = re.findall(r"[A-Z]?[a-z]{4,}", text)
    return sum(map(len, words)) > 0.5 * len(text)
