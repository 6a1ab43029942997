"""How somebody or something is reached over a network: e-mail, IP and MAC addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address

EMAIL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
_EMAIL = re.compile(rf"(?:mailto:)?{EMAIL}|[\w .'\"-]{{1,60}}<{EMAIL}>")
_EMAIL_WITHIN = re.compile(rf"(?<![A-Za-z0-9._%+-]){EMAIL}(?!\.?[A-Za-z0-9]|[/:-])")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}", re.ASCII)
_V4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)
VERSION_PART: int = 100
"""No part of a version reaches it; of addresses, two parts in three do."""


def is_email(text: str) -> bool:
    """One mailbox, alone or with a display name."""
    return "@" in text and _EMAIL.fullmatch(text) is not None


def holds_email(text: str) -> bool:
    """A mailbox somewhere in a text."""
    return "@" in text and _EMAIL_WITHIN.search(text) is not None


def is_ip_address(text: str) -> bool:
    """IPv4 in dotted decimal, or IPv6, with or without a port or prefix of one host."""
    text = text.strip("[]").removesuffix("/32").removesuffix("/128")
    try:
        if ":" in text:
            return text.count(":") > 1 and IPv6Address(text).packed != bytes(16)
        return IPv4Address(text) != IPv4Address(0)
    except AddressValueError:
        return False


def is_mac_address(text: str) -> bool:
    """EUI-48 as six pairs."""
    return _MAC.fullmatch(text) is not None


def look_like_versions(values: Sequence[str]) -> bool:
    """Dotted quads of small numbers alone are versions of something."""
    quads = [value for value in values if _V4.fullmatch(value)]
    if not quads:
        return False
    small = sum(all(int(part) < VERSION_PART for part in quad.split(".")) for quad in quads)
    return small > 0.9 * len(quads)
