"""What a request may not be: tokens, queries, bodies, methods, sizes; and what an error may not say."""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec
import pytest

from dbgate_broker.api.app import HEADERS
from dbgate_broker.api.reading import MAX_BODY_BYTES
from dbgate_broker.api.table import TABLE
from dbgate_core import errors
from dbgate_core.contract import Problem
from tests.integration.api.conftest import Api, Reply

GOOD = {"database": "prod-db"}
ASK = {"database": "prod-db", "access_role": "readwrite", "reason": "a fix"}


@pytest.fixture
def api(shared: Api) -> Api:
    shared.reset()
    return shared


def problem(reply: Reply, status: int, code: str = "") -> Problem:
    """A Problem, with the headers that every answer has."""
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/json"
    for name, value in HEADERS:
        assert reply.headers[name.decode()] == value.decode()
    found = msgspec.json.decode(reply.body, type=Problem, strict=True)
    assert code in ("", found.code)
    return found


def concrete(path: str) -> str:
    return path.replace("{id}", "x1").replace("{name}", "x1")


CLOSED = [(e.method, concrete(e.path)) for e in TABLE if not e.anonymous]


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "Basic YWxpY2U6", "alice", "Bearer  alice", "Bearer alice bob", "Bearer a,b",
    "Bearer alice, Bearer bob", "bearer\talice", "Token alice", "Bearer al\u00ebx",
])  # fmt: skip
def test_only_one_well_formed_bearer_token_signs_in(api: Api, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    reply = api.ask("GET", "/v1/whoami", who="", headers=headers)
    assert problem(reply, 401).exit_code == 3
    assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (
        api.ask("GET", "/v1/whoami", who="", headers={"Authorization": "bEARER alice"}).status
        == 200
    )


def test_two_authorization_headers_are_none(api: Api) -> None:
    connection = api.connection()
    connection.putrequest("GET", "/v1/whoami")
    connection.putheader("Authorization", "Bearer alice")
    connection.putheader("Authorization", "Bearer bob")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_no_endpoint_but_the_named_ones_answers_without_a_token(
    api: Api, method: str, path: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer mallory"}):
        reply = api.ask(method, path, GOOD if method == "POST" else None, who="", headers=headers)
        problem(reply, 401)
    assert api.sessions.asked == []
    assert api.requests.asked == []


def test_a_token_is_checked_before_the_body_is_read(api: Api) -> None:
    problem(api.ask("POST", "/v1/sessions", b"{", who=""), 401)


@pytest.mark.parametrize(("body", "names"), [
    (b"{", ""), (b"[]", "object"), (b"null", "object"), (b'"x"', "object"), (b"", "database"),
    (b"{}", "database"), (b'{"database": 7}', "database"), (b'{"database": null}', "database"),
    (b'{"database": "x", "databse": "y"}', "databse"), (b'{"database": "x"} {}', ""),
    (b'{"database": "x\\u0000"}', "database"), (b'{"database": "\\ud800"}', ""), (b"\xff\xfe", ""),
    (b'{"database": "x", "reason": ["a"]}', "reason"), (b"[" * 100_000, "object"),
    (b'{"database": ' + b'{"a":' * 50_000, "database"), (b'{"database": "\xff"}', ""),
])  # fmt: skip
def test_a_body_that_is_not_right_is_named(api: Api, body: bytes, names: str) -> None:
    found = problem(api.ask("POST", "/v1/sessions", body), 400, "usage")
    assert names in found.message
    assert api.sessions.asked == []


def test_a_mistyped_secret_is_not_said_again(api: Api) -> None:
    reply = api.ask(
        "POST", "/v1/sessions", {"database": "x", "agent": 7, "reason": "hunter2-secret"}
    )
    assert b"hunter2" not in reply.body
    reply = api.ask("GET", "/v1/audit/search?limit=hunter2-secret", who="carol")
    assert problem(reply, 400).message
    assert b"hunter2" not in reply.body


@pytest.mark.parametrize("media", ["", "text/plain", "application/x-www-form-urlencoded", "text/json",
                                   "multipart/form-data", "application/jsonp", "x/application/json"])  # fmt: skip
def test_only_json_is_read(api: Api, media: str) -> None:
    """A page of another site can make a browser send forms and text, but not this."""
    reply = api.ask("POST", "/v1/sessions", GOOD, headers={"Content-Type": media})
    problem(reply, 415, "usage")
    assert api.sessions.asked == []


def test_json_may_say_its_charset(api: Api) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert api.ask("POST", "/v1/sessions", GOOD, headers=headers).status == 200


def test_a_long_statement_passes_and_a_longer_body_does_not(api: Api) -> None:
    statement = "x" * (MAX_BODY_BYTES - 200)
    assert api.ask("POST", "/v1/requests", {**ASK, "statement": statement}).status == 200
    big = json.dumps({**ASK, "statement": "x" * MAX_BODY_BYTES}).encode()
    reply = api.ask("POST", "/v1/requests", big)
    problem(reply, 413, "limit")
    assert reply.headers["Connection"] == "close"
    assert len(api.requests.asked) == 1


def test_a_body_of_gigabytes_is_refused_before_it_comes(api: Api) -> None:
    headers = {"Content-Length": str(1 << 40), "Authorization": "Bearer alice"}
    problem(api.ask("POST", "/v1/requests", b"{", headers=headers), 413, "limit")


def test_a_body_in_chunks_is_bounded_too(api: Api) -> None:
    connection = api.connection()
    pieces = iter([b" " * 65_536] * 17)
    connection.request("POST", "/v1/sessions", pieces, encode_chunked=True, headers={
        "Authorization": "Bearer alice", "Content-Type": "application/json",
        "Transfer-Encoding": "chunked"})  # fmt: skip
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(("target", "names"), [
    ("/v1/audit/search?principle=alice", "principle"),
    ("/v1/audit/search?limit=0", "limit"), ("/v1/audit/search?limit=1001", "limit"),
    ("/v1/audit/search?limit=ten", "limit"), ("/v1/audit/search?limit=", "limit"),
    ("/v1/audit/search?since=yesterday", "since"), ("/v1/audit/search?since=2026-01-31T12:00:00", "since"),
    ("/v1/audit/search?text=a&text=b", "twice"), ("/v1/audit/search?text=a%00b", "NUL"),
    ("/v1/audit/search?text=" + "x" * 4001, "text"), ("/v1/audit/search?cursor=abc", "cursor"),
    ("/v1/audit/search?cursor=-1", "cursor"), ("/v1/sessions?state=opened", "state"),
    ("/v1/requests?state=done", "state"), ("/v1/requests/r1?wait=31", "wait"),
    ("/v1/requests/r1?wait=-1", "wait"), ("/v1/requests/r1?wait=1e9", "wait"),
    ("/v1/requests/r1?wait=nan", "wait"), ("/v1/whoami?verbose=1", "verbose"),
    ("/v1/whoami?" + "&".join(f"a{n}=1" for n in range(60)), "too many"),
])  # fmt: skip
def test_a_query_that_is_not_right_is_named(api: Api, target: str, names: str) -> None:
    assert names in problem(api.ask("GET", target, who="carol"), 400, "usage").message


@pytest.mark.parametrize("target", ["/", "/v1", "/v1/", "/v1/sessions/", "/v1/nothing", "/v2/whoami", "//v1/whoami",
                                    "/v1/sessions/s1/x", "/v1/sessions/%2e%2e%2fwhoami", "/docs", "/V1/whoami",
                                    "/v1/requests/r1/revoke", "/v1/sessions/%00", "/v1/sessions/" + "x" * 201])  # fmt: skip
def test_what_is_not_there(api: Api, target: str) -> None:
    assert problem(api.ask("GET", target), 404, "not_found").exit_code == 2


@pytest.mark.parametrize("odd", ["%00", "a%0ab", "%e2%80%ae", "x" * 201])
def test_what_cannot_be_an_id_reaches_no_service(api: Api, odd: str) -> None:
    for target in (f"/v1/sessions/{odd}", f"/v1/requests/{odd}", f"/v1/audit/sessions/{odd}"):
        found = problem(api.ask("GET", target, who="carol"), 404, "not_found")
        assert "not an id" in found.message


@pytest.mark.parametrize(("method", "target", "allowed"), [
    ("PUT", "/v1/sessions", "GET, POST"), ("PATCH", "/v1/sessions/s1", "DELETE, GET"),
    ("DELETE", "/v1/audit/files/x", "GET"), ("OPTIONS", "/v1/whoami", "GET"), ("TRACE", "/v1/whoami", "GET"),
    ("GET", "/v1/requests/r1/approve", "POST"), ("POST", "/v1/openapi.json", "GET"), ("BREW", "/healthz", "GET"),
])  # fmt: skip
def test_methods_that_a_path_does_not_have(
    api: Api, method: str, target: str, allowed: str
) -> None:
    reply = api.ask(method, target)
    problem(reply, 405, "usage")
    assert reply.headers["Allow"] == allowed


def test_a_browser_of_another_site_is_told_nothing(api: Api) -> None:
    reply = api.ask("GET", "/v1/whoami", headers={"Origin": "https://evil.test"})
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]
    for name, value in HEADERS:
        assert reply.headers[name.decode()] == value.decode()
    assert "Server" not in reply.headers


@pytest.mark.parametrize("kind", sorted({e for e in vars(errors).values() if isinstance(e, type)
                                         and issubclass(e, errors.DbgateError)}, key=str))  # fmt: skip
def test_every_error_has_its_status_and_says_what_it_knows(
    api: Api, kind: type[errors.DbgateError]
) -> None:
    def fail() -> None:
        raise kind("it went wrong", hint="do this", rule="rule-7")

    api.sessions.fail = fail
    found = problem(api.ask("GET", "/v1/databases"), kind.http_status, kind.code)
    assert (found.message, found.hint, found.rule) == ("it went wrong", "do this", "rule-7")
    assert found.exit_code == kind.exit_code


def test_an_unexpected_failure_tells_its_number_and_the_log_the_rest(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("password=hunter2 in /srv/secret.py")

    api.sessions.fail = fail
    with caplog.at_level(logging.ERROR, "dbgate.api"):
        reply = api.ask("GET", "/v1/databases")
    found = problem(reply, 500, "internal")
    assert b"hunter2" not in reply.body
    assert b"secret.py" not in reply.body
    number = found.message.rpartition(" ")[2].rstrip(")")
    assert number in caplog.text
    assert api.ask("GET", "/v1/whoami").status == 200


def test_the_issuers_absence_is_not_a_refusal(api: Api) -> None:
    api.tokens.down = errors.Unreachable("the issuer does not answer")
    assert problem(api.ask("GET", "/v1/whoami"), 503, "unreachable").exit_code == 6


def test_no_token_reaches_the_log_or_an_answer(
    api: Api, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    marker = "eyJtYXJrZXItdG9rZW4"

    def fail() -> None:
        raise ValueError("no")

    api.tokens.known[marker] = api.tokens.known["alice"]
    api.sessions.fail = fail
    with caplog.at_level(logging.DEBUG):
        bodies = [api.ask("GET", "/v1/databases", who=marker).body,
                  api.ask("GET", "/v1/whoami", who=marker + "x").body,
                  api.ask("GET", "/v1/audit/search", who=marker).body,
                  api.ask("GET", f"/v1/whoami?token={marker}").body]  # fmt: skip
    assert not any(marker.encode() in body for body in bodies)
    assert marker not in caplog.text + "".join(capfd.readouterr())
    assert marker not in json.dumps(api.entries("audit_read"))


RAW: list[tuple[str, bytes]] = [
    ("garbage", b"\x16\x03\x01garbage\r\n\r\n"),
    ("no version", b"GET /v1/whoami\r\n\r\n"),
    ("smuggled length", b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                        b"Content-Length: 6\r\n\r\nhello"),
    ("bad length", b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
    ("no host", b"GET /v1/whoami HTTP/1.1\r\n\r\n"),
    ("folded header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"),
    ("endless head", b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 70_000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sent"), RAW, ids=[name for name, _ in RAW])
def test_what_is_no_http_is_answered_with_400_and_closed(api: Api, name: str, sent: bytes) -> None:
    with api.tls_connection() as tls:
        tls.sendall(sent)
        answer = b"".join(iter(lambda: _received(tls), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert api.ask("GET", "/healthz", who="").status == 200


def _received(connection: Any) -> bytes:
    try:
        return bytes(connection.recv(65_536))
    except ConnectionResetError:
        return b""
