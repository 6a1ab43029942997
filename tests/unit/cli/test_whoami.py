"""What whoami reads of the broker's answer, without the contract that it is written by."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from dbgate_cli import render
from dbgate_cli.whoami import FACTS, TARGET, read
from dbgate_core import contract
from dbgate_core.errors import DbgateError

INFO = contract.PrincipalInfo(
    kind="User",
    name="\x1b[2Kzoë\u202e",
    issuer="https://i",
    subject="s",
    groups=["dba", "größe"],
    expires_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


def test_the_facts_are_the_contract_s() -> None:
    assert tuple(FACTS) == contract.PrincipalInfo.__struct_fields__
    assert TARGET == contract.API_PREFIX + "/whoami"


@pytest.mark.parametrize("info", [INFO, msgspec.structs.replace(INFO, expires_at=None)])
def test_what_is_shown_is_what_the_contract_would_show(
    info: contract.PrincipalInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = read(msgspec.json.encode(info))
    render.emit_plain(facts)
    plain = capsys.readouterr().out
    render.emit(info)
    assert json.loads(plain) == json.loads(capsys.readouterr().out)
    assert msgspec.json.decode(plain, type=contract.PrincipalInfo) == info
    assert "\x1b" not in plain


def test_what_a_newer_broker_adds_is_left_out() -> None:
    facts = read(msgspec.json.encode({**msgspec.to_builtins(INFO), "mood": 7}))
    assert tuple(facts) == tuple(FACTS)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[]", b"7", b"{}", msgspec.json.encode({**msgspec.to_builtins(INFO), "name": 7}),
     msgspec.json.encode({**msgspec.to_builtins(INFO), "groups": [7]})],
)  # fmt: skip
def test_another_answer_is_none(body: bytes) -> None:
    with pytest.raises(DbgateError, match="not understood"):
        read(body)
