"""Channels against servers that take, fail, redirect, hang and are gone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dbgate_broker.config import DatabaseConfig, NotificationConfig
from dbgate_broker.notifications.apprise import Apprise
from dbgate_broker.notifications.carrier import NotTaken
from dbgate_broker.notifications.channel import Channel, attempt
from dbgate_broker.notifications.channel import Told as Report
from dbgate_broker.notifications.events import Event, Notification, notification, trial
from dbgate_broker.notifications.reading import channels
from dbgate_broker.notifications.service import Announcing, Notifier
from dbgate_broker.notifications.webhook import Webhook
from dbgate_core.errors import AuditUnavailable, UsageError
from tests.integration.cli import authority
from tests.integration.notifications.receiver import Told, receiver

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOW_S = 1_800_000_000
RAW_KEY = bytes(range(40))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("whsec_" + base64.b64encode(RAW_KEY).decode() + "\n")
    return file


def one(id: str = "msg_1") -> Notification:
    return trial(id, AT)


def webhook(url: str, secret: Path, ca_file: Path | None = None) -> Webhook:
    return Webhook(url, secret, ca_file, lambda: NOW_S)


def verified(told: Told) -> dict[str, Any]:
    """The body, its signature checked as a receiver would, by the specification."""
    headers = {name.lower(): value for name, value in told.headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + told.body
    expected = base64.b64encode(hmac.new(RAW_KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    body: dict[str, Any] = json.loads(told.body)
    return body


def delivered(carrier: Any, *told: Notification, **limits: Any) -> list[Report]:
    """What a channel reports until each of these is over."""
    reports: list[Report] = []

    async def story() -> None:
        all_over = asyncio.Event()

        def report(one: Report) -> None:
            reports.append(one)
            if sum(one.over for one in reports) == len(told):
                all_over.set()

        config = NotificationConfig(name="c")
        channel = Channel(config, carrier, report, first_rest_s=0.0, **limits)
        for one in told:
            channel.offer(one)
        task = asyncio.create_task(channel.run())
        await all_over.wait()
        channel.stop()
        await task

    asyncio.run(story())
    return reports


def test_a_webhook_is_signed_and_verifies(secret: Path) -> None:
    with receiver() as there:
        asyncio.run(webhook(there.url, secret).send(one()))
        told = there.next()
    assert told.path == "/hook?of=dbgate"
    assert told.headers["Content-Type"] == "application/json"
    assert told.headers["webhook-timestamp"] == str(NOW_S)
    assert verified(told)["type"] == "test"


def test_a_failure_is_tried_again_with_the_same_id(secret: Path) -> None:
    with receiver(500, 503, 429, 204) as there:
        reports = delivered(webhook(there.url, secret), one("msg_7"))
        ids = [there.next().headers["webhook-id"] for _ in range(4)]
        assert there.quiet
    assert ids == ["msg_7"] * 4
    assert [report.why for report in reports] == [
        "HTTP status 500",
        "HTTP status 503",
        "HTTP status 429",
        "",
    ]
    assert [report.over for report in reports] == [False, False, False, True]


@pytest.mark.parametrize(("status", "why"), [(302, "redirect"), (307, "redirect"), (401, "401")])
def test_what_is_refused_is_not_sent_again_or_elsewhere(
    secret: Path, status: int, why: str
) -> None:
    with receiver(status) as there:
        reports = delivered(webhook(there.url, secret), one())
        assert there.next().path == "/hook?of=dbgate"
        assert there.quiet
    assert len(reports) == 1
    assert reports[0].over
    assert why in reports[0].why


def test_a_server_without_an_answer_holds_up_for_the_deadline_alone(secret: Path) -> None:
    with receiver(0) as there:
        why, again = asyncio.run(attempt(webhook(there.url, secret), one(), 0.05))
    assert why == "no answer within 0.05 s"
    assert again


def test_a_server_that_is_gone(secret: Path) -> None:
    with receiver() as there:
        pass
    with pytest.raises(NotTaken, match="cannot be reached") as caught:
        asyncio.run(webhook(there.url, secret).send(one()))
    assert caught.value.again


def test_what_is_too_old_is_given_up(secret: Path) -> None:
    with receiver(500) as there:
        reports = delivered(webhook(there.url, secret), one(), keep_s=0.0)
    assert [report.over for report in reports] == [True]


def test_when_too_much_waits_the_oldest_goes(secret: Path) -> None:
    with receiver() as there:
        reports = delivered(
            webhook(there.url, secret), one("a"), one("b"), one("c"), most_waiting=2
        )
        assert [there.next().headers["webhook-id"] for _ in range(2)] == ["b", "c"]
    assert [(r.one.id, r.why) for r in reports] == [
        ("a", "more than 2 wait"),
        ("b", ""),
        ("c", ""),
    ]


def test_tls_is_verified(tmp_path: Path, secret: Path) -> None:
    ca, leaf = authority.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)
    with receiver(tls=context) as there:
        asyncio.run(webhook(there.url, secret, ca).send(one()))
        assert verified(there.next())["type"] == "test"
        with pytest.raises(NotTaken, match="certificate"):
            asyncio.run(webhook(there.url, secret).send(one()))
        assert there.quiet


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "ftp://example.com", "https://u:p@example.com/", "https://"]
)
def test_only_https_is_spoken_beyond_this_machine(secret: Path, url: str) -> None:
    with pytest.raises(UsageError):
        webhook(url, secret)


def test_a_missing_secret_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "made"
    webhook("https://example.com/", file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("whsec_")
    webhook("https://example.com/", file)


def test_a_secret_that_is_none_is_named_and_not_quoted(secret: Path) -> None:
    secret.write_text("whsec_hunter2hunter2")
    with pytest.raises(UsageError, match="secret") as caught:
        webhook("https://example.com/", secret)
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"


class Log:
    """A Recorder that keeps what it is given, or fails."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Mapping[str, object]]] = []

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        self.entries.append((kind, fields))
        return len(self.entries)


SERIES: dict[str, object] = {
    "scope": {"session": "s1", "who": {"name": "alice"}, "database": "prod-db",
              "environment": "production"},
    "column": "public.customers.email", "searches": 20, "window_s": 300,
}  # fmt: skip


def test_what_is_written_is_told_and_what_is_not_is_recorded(secret: Path) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    log = Log()
    with receiver() as fine, receiver(400) as bad:
        named = [
            (NotificationConfig(name="fine"), webhook(fine.url, secret)),
            (NotificationConfig(name="bad"), webhook(bad.url, secret)),
        ]

        async def story() -> None:
            notifier = Notifier(named, log, counted)
            telling = Announcing(log, notifier.announce)
            await asyncio.to_thread(telling.append, "search_series", SERIES)
            telling.append("statement", {"text": "select 1"})
            await asyncio.to_thread(fine.next)
            await asyncio.to_thread(bad.next)
            await notifier.stop()
            notifier.announce("search_series", SERIES)

        asyncio.run(story())
        assert fine.quiet
        assert bad.quiet
    assert counted["fine", "delivered"] == 1
    assert counted["bad", "undelivered"] == 1
    assert [kind for kind, _ in log.entries] == [
        "search_series",
        "statement",
        "notification_undelivered",
    ]
    said = log.entries[-1][1]
    assert (said["channel"], said["event"], said["session"]) == ("bad", "search_series", "s1")
    assert said["why"] == "HTTP status 400"


def test_what_waits_when_the_broker_ends_is_tried_once_more(secret: Path) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    log = Log()
    with receiver(500) as there:

        async def story() -> None:
            carrier = webhook(there.url, secret)
            notifier = Notifier([(NotificationConfig(name="c"), carrier)], log, counted)
            notifier.announce("search_series", SERIES)
            await asyncio.to_thread(there.next)
            await notifier.stop()  # within the rest after the first failure

        asyncio.run(story())
    assert counted["c", "undelivered"] == 1
    assert [kind for kind, _ in log.entries] == ["notification_undelivered"]


def test_a_log_that_fails_is_told_once_and_harms_nothing(secret: Path) -> None:
    class Shut(Log):
        def append(self, kind: str, fields: Mapping[str, object]) -> int:
            raise AuditUnavailable("no space left")

    with receiver(204) as there:

        async def story() -> None:
            carrier = webhook(there.url, secret)
            notifier = Notifier([(NotificationConfig(name="c"), carrier)], Shut(), Counter())
            for _ in range(3):
                notifier.log_failed(AuditUnavailable("no space left"))
            body = verified(await asyncio.to_thread(there.next))
            assert body["type"] == "log_failed"
            assert body["data"]["why"] == "no space left"
            await notifier.stop()
            assert there.quiet

        asyncio.run(story())


def test_an_entry_that_cannot_be_written_is_not_told() -> None:
    class Shut(Log):
        def append(self, kind: str, fields: Mapping[str, object]) -> int:
            raise AuditUnavailable("no")

    told: list[str] = []
    with pytest.raises(AuditUnavailable):
        Announcing(Shut(), lambda kind, entry: told.append(kind)).append("request_created", {})
    assert told == []


@pytest.mark.parametrize(
    ("limits", "event", "takes"),
    [
        ({}, Event.SEARCH_SERIES, True),
        ({"events": [Event.LOG_FAILED]}, Event.SEARCH_SERIES, False),
        ({"databases": ["prod-db"]}, Event.SEARCH_SERIES, True),
        ({"databases": ["other"]}, Event.SEARCH_SERIES, False),
        ({"environments": ["production"]}, Event.SEARCH_SERIES, True),
        ({"environments": ["test"]}, Event.SEARCH_SERIES, False),
        ({"databases": ["other"]}, Event.LOG_FAILED, True),
    ],
)
def test_a_channel_takes_what_it_is_for(limits: dict[str, Any], event: Event, takes: bool) -> None:
    full: dict[str, object] = {"why": "full"}
    entries = {Event.SEARCH_SERIES: SERIES, Event.LOG_FAILED: full}
    told = notification(event, entries[event], "msg_1", AT)
    assert told is not None

    async def story() -> bool:
        channel = Channel(
            NotificationConfig(name="c", **limits), webhook_of_none(), lambda told: None
        )
        return channel.takes(told)

    assert asyncio.run(story()) is takes


def webhook_of_none() -> Any:
    return None


DATABASE = DatabaseConfig(
    name="prod-db", host="h", dbname="d", environment="production", access_roles=[]
)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"webhook_url": "https://example.com/"},
        {"webhook_url": "https://example.com/", "apprise_url_file": Path("x")},
        {"webhook_url": "https://example.com/", "webhook_secret_file": Path("s"),
         "databases": ["prod-bd"]},
        {"webhook_url": "https://example.com/", "webhook_secret_file": Path("s"),
         "environments": ["prod"]},
        {"apprise_url_file": Path("/nowhere/at/all")},
    ],
)  # fmt: skip
def test_a_channel_that_would_be_silent_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        channels([NotificationConfig(name="c", **wrong)], [DATABASE])


def test_two_channels_have_two_names(secret: Path) -> None:
    config = NotificationConfig(
        name="c", webhook_url="https://example.com/", webhook_secret_file=secret
    )
    assert len(channels([config], [DATABASE])) == 1
    with pytest.raises(UsageError, match="name of its own"):
        channels([config, config], [DATABASE])


@pytest.fixture
def url_file(tmp_path: Path) -> Callable[[str], Path]:
    def written(url: str) -> Path:
        file = tmp_path / "url"
        file.write_text(url + "\n")
        return file

    return written


def test_a_service_of_apprise_is_told(url_file: Callable[[str], Path]) -> None:
    with receiver(200) as there:
        carrier = Apprise(url_file(there.url.replace("http://", "json://")))
        carrier.check()
        asyncio.run(carrier.send(one()))
        said = json.loads(there.next().body)
    assert said["title"] == "a test of dbgate's notifications"


@pytest.mark.parametrize("status", [500, 302])
def test_a_service_of_apprise_that_fails(url_file: Callable[[str], Path], status: int) -> None:
    with receiver(status) as there:
        carrier = Apprise(url_file(there.url.replace("http://", "json://")))
        with pytest.raises(NotTaken):
            asyncio.run(carrier.send(one()))
        assert there.next().path.startswith("/hook")
        assert there.quiet


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("json://example.com/hunter2", "without TLS"),
        ("no-such-service://hunter2", "none that Apprise knows"),
        ("", "none that Apprise knows"),
    ],
)
def test_a_url_that_is_none_is_refused_and_not_quoted(
    url_file: Callable[[str], Path], url: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Apprise(url_file(url)).check()
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"


def test_a_process_of_apprise_ends_at_the_deadline(url_file: Callable[[str], Path]) -> None:
    others = children()
    with receiver(0) as there:
        carrier = Apprise(url_file(there.url.replace("http://", "json://")))

        async def story() -> tuple[str, bool]:
            task = asyncio.create_task(carrier.send(one()))
            await asyncio.to_thread(there.next)
            task.cancel()
            await asyncio.wait([task])
            return await attempt(carrier, one(), 0.0)

        assert asyncio.run(story()) == ("no answer within 0 s", True)
    assert children() <= others


def children() -> set[str]:
    """This process's own that still are; servers of other tests may be among them."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text() if LINUX else ""
    return set(listed.split())


LINUX = sys.platform == "linux" and Path(f"/proc/self/task/{os.getpid()}/children").exists()
