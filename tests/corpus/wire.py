"""Messages written out, one a line: the type, then its parts with ` | ` between them.

    P name | text          Parse              B portal | name | value | ...   Bind
    D S name, D P portal   Describe           E portal                        Execute
    C S name, C P portal   Close              S, H                            Sync, Flush
    Q text                 Query              F oid | value | ...             FunctionCall

A part that is `-` is the empty name.
"""

from __future__ import annotations

import struct

from dbgate_core.pgwire.messages import message


def messages(text: str) -> bytes:
    """The bytes of the lines."""
    return b"".join(_message(line) for line in text.splitlines() if line.strip())


def _message(line: str) -> bytes:
    kind, _, rest = line.partition(" ")
    parts = [_part(part) for part in rest.split(" | ")]
    match kind:
        case "P":
            return message(b"P", parts[0] + b"\0" + parts[1] + b"\0\0\0")
        case "B":
            return message(b"B", parts[0] + b"\0" + parts[1] + b"\0\0\0" + _many(parts[2:]) + b"\0\0")  # fmt: skip
        case "D" | "C":
            return message(kind.encode(), parts[0][:1] + _part(rest[2:]) + b"\0")
        case "E":
            return message(b"E", parts[0] + b"\0\0\0\0\0")
        case "S" | "H":
            return message(kind.encode(), b"")
        case "Q":
            return message(b"Q", _part(rest) + b"\0")
        case "F":
            return message(b"F", struct.pack("!I", int(parts[0])) + b"\0\0" + _many(parts[1:]) + b"\0\0")  # fmt: skip
    raise ValueError(f"not a message: {line}")


def _part(text: str) -> bytes:
    return b"" if text.strip() == "-" else text.encode()


def _many(values: list[bytes]) -> bytes:
    """Values with their number before them and their lengths."""
    told = b"".join(struct.pack("!I", len(value)) + value for value in values)
    return struct.pack("!H", len(values)) + told
