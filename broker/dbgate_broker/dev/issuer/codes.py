"""Authorization codes and device codes: short-lived, used once, bound to what asked for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

CODE_S: Final = 60.0
"""RFC 6749, section 4.1.2, allows ten minutes; a loopback needs less."""
DEVICE_S: Final = 600.0
INTERVAL_S: Final = 2.0
SLOW_DOWN_S: Final = 5.0
"""RFC 8628, section 3.5."""
MAX_KEPT: Final = 1000
"""Of codes, and of device codes: the oldest is forgotten."""
USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words (RFC 8628, section 6.1)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authorization request asked for, checked."""

    redirect_uri: str
    scopes: frozenset[str]
    state: str
    nonce: str | None
    challenge: str


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, by what it is good for. `family` is the refresh tokens it began."""

    asked: Asked
    person: str
    expires_at: float
    family: str
    used: bool = False


class CodeRefused(Exception):
    """The code is unknown, expired, used, or another client's. `family` is to be revoked, if set."""

    def __init__(self, reason: str, family: str = "") -> None:
        super().__init__(reason)
        self.family = family


class Codes:
    """The authorization codes of the last minute. Times are Unix seconds."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}

    def issue(self, asked: Asked, person: str, now: float) -> str:
        """A fresh code."""
        code = secrets.token_urlsafe(32)
        _forget_oldest(self._codes)
        self._codes[code] = Code(asked, person, now + CODE_S, secrets.token_urlsafe(16))
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str, now: float) -> Code:
        """Use a code up.

        1. It is known and not expired.  2. It was not used: else what it gave is revoked
        (RFC 6749, section 4.1.2).  3. The redirect URI is the same.  4. The verifier hashes to
        the challenge (RFC 7636, section 4.6). A failed try uses it up, too.
        """
        found = self._codes.get(code)
        if found is None or now >= found.expires_at:
            raise CodeRefused("the code is unknown or has expired")
        if found.used:
            raise CodeRefused("the code was used before", found.family)
        self._codes[code] = replace(found, used=True)
        if redirect_uri != found.asked.redirect_uri:
            raise CodeRefused("redirect_uri is not the one of the request")
        if not hmac.compare_digest(challenge_of(verifier), found.asked.challenge):
            raise CodeRefused("code_verifier does not fit the code_challenge")
        return found


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636, section 4.2. What is no ASCII has none that could fit."""
    try:
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
    except UnicodeEncodeError:
        return ""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class DeviceState(StrEnum):
    """What has become of a device authorization."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    UNKNOWN = "invalid_grant"
    APPROVED = "approved"


@dataclass(slots=True)
class Device:
    """A device authorization under way."""

    user_code: str
    scopes: frozenset[str]
    expires_at: float
    interval_s: float = INTERVAL_S
    asked_at: float = 0.0
    person: str = ""
    denied: bool = False


class Devices:
    """The device authorizations of the last ten minutes (RFC 8628). Times are Unix seconds."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}

    def begin(self, scopes: frozenset[str], now: float) -> tuple[str, Device]:
        """A fresh device code, and its user code in two groups of four letters."""
        letters = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(8))
        device = Device(f"{letters[:4]}-{letters[4:]}", scopes, now + DEVICE_S)
        device_code = secrets.token_urlsafe(32)
        _forget_oldest(self._devices)
        self._devices[device_code] = device
        return device_code, device

    def by_user_code(self, typed: str, now: float) -> Device | None:
        """The one that waits for this user code; case, blanks and dashes do not count."""
        wanted = _letters(typed)
        for device in self._devices.values():
            open_one = now < device.expires_at and not device.person and not device.denied
            if open_one and hmac.compare_digest(
                _letters(device.user_code).encode(), wanted.encode()
            ):
                return device
        return None

    def poll(self, device_code: str, now: float) -> tuple[DeviceState, Device | None]:
        """Ask for the outcome. Who asks too soon is told to slow down; an approval is taken once."""
        device = self._devices.get(device_code)
        if device is None:
            return DeviceState.UNKNOWN, None
        too_soon = now - device.asked_at < device.interval_s
        device.asked_at = now
        if now >= device.expires_at:
            return DeviceState.EXPIRED, None
        if too_soon:
            device.interval_s += SLOW_DOWN_S
            return DeviceState.SLOW_DOWN, None
        if device.denied:
            return DeviceState.DENIED, None
        if not device.person:
            return DeviceState.PENDING, None
        del self._devices[device_code]
        return DeviceState.APPROVED, device


def _letters(code: str) -> str:
    return "".join(char for char in code.upper() if char.isalpha())


def _forget_oldest(kept: dict[str, Code] | dict[str, Device]) -> None:
    while len(kept) >= MAX_KEPT:
        del kept[next(iter(kept))]
