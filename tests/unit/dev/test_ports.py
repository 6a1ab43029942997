from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from dbgate_broker.dev.ports import NAMES, choose, is_free
from dbgate_core.errors import UsageError


def always(port: int) -> bool:
    return True


def test_a_second_start_gets_the_same_ports(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file, 0)
    assert choose(file, 0) == first


def test_a_port_that_was_taken_meanwhile_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = choose(file, 0, always)
    second = choose(file, 0, lambda port: port != first.gateway)
    assert second.gateway != first.gateway
    assert (second.broker, second.issuer) == (first.broker, first.issuer)


def test_a_base_counts_up(tmp_path: Path) -> None:
    ports = choose(tmp_path / "p", 21000, always)
    assert [getattr(ports, name) for name in NAMES] == list(range(21000, 21006))


def test_a_taken_port_of_a_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"21002 \(for issuer\)"):
        choose(tmp_path / "p", 21000, lambda port: port != 21002)


@pytest.mark.parametrize("base", [-1, 1, 1023, 65531, 100000])
def test_a_base_out_of_range_is_refused(tmp_path: Path, base: int) -> None:
    with pytest.raises(UsageError):
        choose(tmp_path / "p", base, always)


def test_no_free_port_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no free port"):
        choose(tmp_path / "p", 0, lambda port: False)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b'{"broker": "x"}', b'{"broker": 80, "gateway": 999999}',
     json.dumps(dict.fromkeys(NAMES, 25000)).encode()],
)  # fmt: skip
def test_a_damaged_memory_is_no_error_and_ports_differ(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ports.json"
    file.write_bytes(content)
    ports = choose(file, 0, always)
    numbers = [getattr(ports, name) for name in NAMES]
    assert len(set(numbers)) == len(numbers)
    assert all(1024 <= number <= 65535 for number in numbers)


def test_a_listener_makes_a_port_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
