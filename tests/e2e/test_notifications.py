"""A webhook is told of a statement that waits, of its approval, and of protected columns that appear."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo.stage import BIN, Stage
from tests.e2e.commands import LIMIT_S, dbgate
from tests.e2e.test_draining import restart
from tests.e2e.test_holds import TOUCH, demand_readwrite, pending, started
from tests.e2e.tunnel import tunnel
from tests.integration.notifications.receiver import Receiver, receiver

pytestmark = pytest.mark.e2e

COLUMN = "public.refunds.payer_iban"


@pytest.fixture(scope="module")
def there(stage: Stage) -> Iterator[Receiver]:
    """The stage's broker with one channel, and who is told."""
    file = stage.home / "dev" / "broker.toml"
    before = file.read_text()
    with receiver() as there:
        file.write_text(before + channel("hook", there.url, secret(stage)))
        restart(stage, signal.SIGKILL)
        try:
            yield there
        finally:
            file.write_text(before)
            restart(stage, signal.SIGKILL)


def secret(stage: Stage) -> Path:
    return stage.home / "webhook-secret"


def told(stage: Stage, there: Receiver, event: str) -> dict[str, Any]:
    """The next notification of this kind, verified; what else the shared stage tells is passed over."""
    key = base64.b64decode(secret(stage).read_text().strip().removeprefix("whsec_"))
    while True:
        one = there.next()
        signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}."
        digest = hmac.new(key, signed.encode() + one.body, hashlib.sha256).digest()
        assert one.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        body: dict[str, Any] = json.loads(one.body)
        if body["type"] == event:
            return body["data"]  # type: ignore[no-any-return]


def test_a_webhook_is_told_what_waits_and_what_was_decided(stage: Stage, there: Receiver) -> None:
    demand_readwrite(stage)
    role = ("--role", "readwrite", "--hold", "5m", "--reason", "T-9")
    with tunnel(stage, "alice", "prod-db", *role) as opened:
        waiting = started(opened, TOUCH)
        asked = told(stage, there, "request_created")
        while "T-9" not in asked["reason"]:
            asked = told(stage, there, "request_created")
        assert asked["requester"]["name"] == "alice"
        assert (asked["database"], asked["environment"]) == ("prod-db", "production")
        assert asked["effects"] == ["updating every row of the table public.products"]
        assert TOUCH not in json.dumps(asked)
        assert f"dbgate approve {asked['request']}" in asked["text"]
        approved = dbgate(stage, "approve", asked["request"], person="bob")
        assert approved.returncode == 0, approved.stderr
        out, err = waiting.communicate(timeout=LIMIT_S)
        assert waiting.returncode == 0, err
        assert "UPDATE" in out
        decided = told(stage, there, "request_decided")
        while decided["request"] != asked["request"]:
            decided = told(stage, there, "request_decided")
        assert (decided["state"], decided["by"]["name"]) == ("approved", "bob")


def test_ddl_that_makes_a_protected_column_is_told(stage: Stage, there: Receiver) -> None:
    asking = ("request-approval", "dev-db", "--role", "admin", "--reason", "T-10")
    if dbgate(stage, *asking).returncode == 0:
        dbgate(stage, "approve", pending(stage), person="bob")
    with tunnel(stage, "alice", "dev-db", "--role", "admin") as opened:
        made = opened.psql("create table refunds (id int, payer_iban text)")
        assert made.returncode == 0, made.stderr
        try:
            assert opened.psql("select 1").returncode == 0
            drift = told(stage, there, "classes_changed")
            while COLUMN not in {one["column"] for one in drift["changes"]}:
                drift = told(stage, there, "classes_changed")
        finally:
            assert opened.psql("drop table refunds").returncode == 0
    assert (drift["database"], drift["environment"]) == ("dev-db", "development")
    (change,) = [one for one in drift["changes"] if one["column"] == COLUMN]
    assert (change["new"], change["after"]) == (True, ["iban"])
    found = dbgate(stage, "audit", "search", "--kind", "classes_changed", "--json", person="carol")
    assert COLUMN in found.stdout


def test_each_channel_is_tried_while_the_operator_watches(
    stage: Stage, there: Receiver, tmp_path: Path
) -> None:
    config = tmp_path / "broker.toml"
    usual = (stage.home / "dev" / "broker.toml").read_text()
    with receiver(503) as down:
        config.write_text(usual + channel("down", down.url, tmp_path / "secret"))
        command = [str(BIN / "dbgate"), "serve", "--config", str(config), "--test-notifications"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 6
    assert done.stdout == "hook: delivered\ndown: HTTP status 503\n"
    assert "1 of 2 channels did not take it" in done.stderr
    assert told(stage, there, "test")["title"] == "a test of dbgate's notifications"


def channel(name: str, url: str, key: Path) -> str:
    return f"""
[[notifications]]
name = "{name}"
webhook_url = "{url}"
webhook_secret_file = "{key}"
"""
