"""Ports of the parts: those of the last start when they are free, else others."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from dbgate_broker.dev import files
from dbgate_core.errors import UsageError

FIRST: Final = 20000
LAST: Final = 32000
"""Below the kernel's ephemeral ports, so that no outgoing connection takes one between starts."""
TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """One loopback port a listener, in the order that `--port-base` counts."""

    broker: int
    gateway: int
    issuer: int
    openbao: int
    openbao_cluster: int
    postgresql: int


NAMES: Final = tuple(field.name for field in fields(Ports))


def is_free(port: int) -> bool:
    """Whether a loopback port can be bound now."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def choose(remembered: Path, base: int, free: Callable[[int], bool] = is_free) -> Ports:
    """The ports of this start; they are written to `remembered`.

    With a base, they are the base and those after it, and UsageError is raised when one of them is
    taken. Without, each is the one of the last start, or a free one.
    """
    ports = _from_base(base, free) if base else _free_ones(_read(remembered), free)
    files.write(remembered, json.dumps(asdict(ports)).encode())
    return ports


def _from_base(base: int, free: Callable[[int], bool]) -> Ports:
    if not 1024 <= base <= 65535 - len(NAMES) + 1:
        raise UsageError(f"--port-base {base} is out of range", hint="from 1024 to 65530")
    wanted = {name: base + number for number, name in enumerate(NAMES)}
    for name, port in wanted.items():
        if not free(port):
            raise UsageError(
                f"port {port} (for {name.replace('_', ' ')}) is taken",
                hint="another --port-base, or none for free ports",
            )
    return Ports(**wanted)


def _free_ones(last: dict[str, int], free: Callable[[int], bool]) -> Ports:
    chosen: dict[str, int] = {}
    for name in NAMES:
        taken = set(chosen.values())
        port = last.get(name, 0)
        if not port or port in taken or not free(port):
            port = _another(taken | set(last.values()), free)
        chosen[name] = port
    return Ports(**chosen)


def _another(taken: set[int], free: Callable[[int], bool]) -> int:
    dice = random.SystemRandom()
    for _ in range(TRIES):
        port = dice.randint(FIRST, LAST)
        if port not in taken and free(port):
            return port
    raise UsageError("no free port on 127.0.0.1", hint="dbgate dev --port-base N")


def _read(remembered: Path) -> dict[str, int]:
    """The last start's; what is not a port number counts as none."""
    try:
        found = json.loads(remembered.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    ports = {name: found.get(name) for name in NAMES}
    return {n: p for n, p in ports.items() if isinstance(p, int) and 1024 <= p <= 65535}
