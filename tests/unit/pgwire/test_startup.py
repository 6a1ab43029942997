"""The first packet, case by case, against PostgreSQL's ProcessStartupPacket and pg_split_opts."""

from __future__ import annotations

import struct

import pytest

from dbgate_core.errors import DbgateError
from dbgate_core.pgwire import options, startup

V3 = 3 << 16


def packet(body: bytes, version: int = V3) -> bytes:
    return struct.pack("!II", len(body) + 8, version) + body


def said(*words: str) -> bytes:
    return b"".join(word.encode() + b"\0" for word in words) + b"\0"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("  \t\n\v\f\r ", {}),
        ("-c work_mem=8MB", {"work_mem": "8MB"}),
        ("-cwork_mem=8MB", {"work_mem": "8MB"}),
        ("--work-mem=8MB", {"work_mem": "8MB"}),
        ("-c Work_Mem=8MB", {"work_mem": "8MB"}),
        ("-c work_mem=", {"work_mem": ""}),
        ("-c a.b=c=d", {"a.b": "c=d"}),
        ("-c a=1 --a=2", {"a": "2"}),
        (r"-c search_path=a,\ b", {"search_path": "a, b"}),
        (r"-c a=\\", {"a": "\\"}),
        ("-c a=b\\", {"a": "b"}),
        ("-c a=\u00a0", {"a": "\u00a0"}),
        ("-c client_encoding=UTF-8", {}),
        ("-c standard_conforming_strings=on", {}),
    ],
)
def test_options_are_read_as_postgresql_reads_them(text: str, settings: dict[str, str]) -> None:
    assert options.checked({"options": text}) == settings


@pytest.mark.parametrize(
    "text",
    [
        "-c",
        "-c work_mem",
        "--work_mem",
        "--",
        "-",
        "work_mem=8MB",
        "-W 5",
        "-e",
        "-d 1",
        "\\",
        "-c role=x",
        "--Role=x",
        "--session-authorization=x",
        "-c replication=database",
        "-c user=postgres",
        "-c DATABASE=template1",
        "-c options=-crole=x",
        "-c _pq_.x=1",
        "-c client_encoding=latin1",
        "-c standard_conforming_strings=off",
        "-c local_preload_libraries=x",
    ],
)
def test_options_that_do_not_pass_whatever_policy_says(text: str) -> None:
    with pytest.raises(DbgateError) as caught:
        options.checked({"options": text})
    assert caught.value.sqlstate == "08P01"


def test_a_name_in_other_letters_is_no_way_to_replication() -> None:
    for name in ("Replication", "USER", "Database", "OPTIONS"):
        with pytest.raises(DbgateError):
            options.checked({name: "database"})


def test_a_setting_by_name_stands_over_one_in_options() -> None:
    assert options.checked({"DateStyle": "ISO", "options": "-c datestyle=German"}) == {
        "datestyle": "ISO"
    }


@pytest.mark.parametrize(
    ("name", "value", "statement"),
    [
        ("work_mem", "8MB", """SET "work_mem" TO '8MB'"""),
        ("app.x", "it's", """SET "app.x" TO 'it''s'"""),
        ('a" to 1; --', "\\", """SET "a"" to 1; --" TO '\\'"""),
    ],
)
def test_the_set_that_a_setting_stands_for(name: str, value: str, statement: str) -> None:
    assert options.as_statement(name, value) == statement


@pytest.mark.parametrize(
    ("body", "user", "database"),
    [
        (said("user", "alice"), "alice", "alice"),
        (said("user", "alice", "database", ""), "alice", "alice"),
        (said("database", "shop", "user", "alice"), "alice", "shop"),
        (said("user", "Ä", "database", "DB"), "Ä", "DB"),
    ],
)
def test_who_and_where(body: bytes, user: str, database: str) -> None:
    found = startup.read(packet(body))
    assert isinstance(found, startup.Startup)
    assert (found.user, found.database, found.parameters) == (user, database, {})


@pytest.mark.parametrize(
    ("data", "sqlstate"),
    [
        (packet(b"\0"), "28000"),
        (packet(said("database", "shop")), "28000"),
        (packet(said("user", "")), "28000"),
        (packet(b""), "08P01"),
        (packet(b"user\0alice\0"), "08P01"),
        (packet(b"user\0alice"), "08P01"),
        (packet(b"user\0"), "08P01"),
        (packet(said("user", "alice") + b"\0"), "08P01"),
        (packet(said("user", "alice", "user", "bob")), "08P01"),
        (packet(b"user\0\xff\0\0"), "22021"),
        (packet(said("user", "a"), 2 << 16), "0A000"),
        (packet(said("user", "a"), 4 << 16), "0A000"),
        (packet(b"", (1234 << 16) + 5681), "0A000"),
        (packet(b"x", (1234 << 16) + 5679), "08P01"),
        (packet(b"x", (1234 << 16) + 5680), "08P01"),
        (packet(bytes(7), (1234 << 16) + 5678), "08P01"),
        (packet(bytes(4 + 257), (1234 << 16) + 5678), "08P01"),
    ],
)
def test_a_first_packet_that_is_refused(data: bytes, sqlstate: str) -> None:
    with pytest.raises(DbgateError) as caught:
        startup.read(data)
    assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize("length", [0, 4, 7, startup.MAX_STARTUP_BYTES + 1, 1 << 31])
def test_a_length_is_refused_before_anything_is_held(length: int) -> None:
    with pytest.raises(DbgateError):
        startup.length_of(length.to_bytes(4, "big"))


@pytest.mark.parametrize("size", [4, 32, 256])
def test_a_cancel_request_of_every_length(size: int) -> None:
    secret = bytes(range(256))[:size]
    assert startup.read(startup.cancel_request(7, secret)) == startup.Cancel(7, secret)


def test_what_is_sent_on_names_what_the_judge_needs() -> None:
    sent = startup.startup_message("v-1", "shop", {"work_mem": "8MB"})
    assert sent[4:8] == struct.pack("!I", V3 + 2)
    words = sent[8:-2].split(b"\0")
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        b"user": b"v-1",
        b"database": b"shop",
        b"work_mem": b"8MB",
        b"client_encoding": b"UTF8",
        b"standard_conforming_strings": b"on",
    }
