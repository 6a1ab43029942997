"""The served document says what the program does: every endpoint, parameter, body and answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dbgate_broker.api.table import TABLE
from dbgate_core import contract
from tests.integration.api.conftest import Api

FORMATS = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


@pytest.fixture
def api(shared: Api) -> Api:
    shared.reset()
    return shared


@pytest.fixture
def document(api: Api) -> Any:
    reply = api.ask("GET", "/v1/openapi.json", who="")
    assert reply.headers["Content-Type"] == "application/json"
    return reply.json


def test_document_and_table_name_the_same_endpoints(api: Api, document: Any) -> None:
    described = {(m.upper(), path) for path, item in document["paths"].items() for m in item}
    assert described == {(endpoint.method, endpoint.path) for endpoint in TABLE}
    assert len(described) == len(TABLE)
    served = {route.path for route in api.app.routes}  # type: ignore[attr-defined]  # all are Routes
    assert served == {path for _, path in described} | {"/v1/openapi.json", "/metrics"}


def test_every_described_endpoint_is_served(api: Api, document: Any) -> None:
    for path, item in document["paths"].items():
        for method in item:
            target = path.replace("{id}", "none").replace("{name}", "none")
            reply = api.ask(
                method.upper(), target, who="carol", body={} if method == "post" else None
            )
            assert reply.status != 405
            assert reply.status != 404 or "no such endpoint" not in reply.json["message"]


def test_operations_are_named_once_and_say_who_may_come_without_a_token(document: Any) -> None:
    operations = [o for item in document["paths"].values() for o in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    free = {o["operationId"] for o in operations if o.get("security") == []}
    assert free == {"health", "readiness", "discovery"}
    assert document["security"] == [{"idToken": []}]


def test_all_references_lead_somewhere(document: Any) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    used = set(_references(document))
    assert used <= known
    assert f"#/components/schemas/{contract.Problem.__name__}" in used


def test_every_struct_of_the_contract_is_described(document: Any) -> None:
    structs = {
        name
        for name, value in vars(contract).items()
        if isinstance(value, type) and issubclass(value, contract.Request | contract.Answer)
    } - {"Request", "Answer"}
    assert structs <= set(document["components"]["schemas"])


def test_the_search_parameters_are_those_of_the_query(document: Any) -> None:
    parameters = document["paths"]["/v1/audit/search"]["get"]["parameters"]
    described = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert set(described) == {
        "principal", "database", "table", "verdict", "text", "kind", "session", "exposed",
        "since", "until",
        "cursor", "limit",
    }  # fmt: skip
    assert (described["limit"]["minimum"], described["limit"]["maximum"]) == (1, 1000)
    assert {p["in"] for p in parameters} == {"query"}


def test_answers_are_what_the_document_says(api: Api, document: Any) -> None:
    ask = {"database": "prod-db", "access_role": "readwrite", "reason": "a fix"}
    api.log.append("statement", {"text": "select 1"})
    calls: list[tuple[str, str, str, object]] = [
        ("GET", "/healthz", "/healthz", None),
        ("GET", "/readyz", "/readyz", None),
        ("GET", "/v1/discovery", "/v1/discovery", None),
        ("GET", "/v1/whoami", "/v1/whoami", None),
        ("GET", "/v1/databases", "/v1/databases", None),
        ("GET", "/v1/databases/{name}/classes", "/v1/databases/prod-db/classes", None),
        ("POST", "/v1/explain", "/v1/explain", {"database": "prod-db", "statement": "select 1"}),
        ("POST", "/v1/sessions", "/v1/sessions", {"database": "prod-db"}),
        ("GET", "/v1/sessions", "/v1/sessions", None),
        ("GET", "/v1/sessions/{id}", "/v1/sessions/s1", None),
        ("DELETE", "/v1/sessions/{id}", "/v1/sessions/s1?reason=done", None),
        ("POST", "/v1/requests", "/v1/requests", ask),
        ("POST", "/v1/requests", "/v1/requests", ask),
        ("GET", "/v1/requests", "/v1/requests?state=pending", None),
        ("POST", "/v1/requests/{id}/deny", "/v1/requests/r1/deny", {"comment": "no"}),
        ("POST", "/v1/requests/{id}/approve", "/v1/requests/r1/approve", {"comment": "yes"}),
        ("POST", "/v1/requests/{id}/withdraw", "/v1/requests/r2/withdraw", {}),
        ("GET", "/v1/requests/{id}", "/v1/requests/r1?wait=1", None),
        ("GET", "/v1/audit/search", "/v1/audit/search?text=select", None),
        ("GET", "/v1/audit/sessions/{id}", "/v1/audit/sessions/s1", None),
        ("GET", "/v1/audit/files", "/v1/audit/files", None),
        ("GET", "/v1/audit/checkpoint", "/v1/audit/checkpoint", None),
    ]
    for method, path, target, body in calls:
        reply = api.ask(method, target, body, who="carol")
        assert reply.status == 200, (target, reply.body)
        ((media, content),) = document["paths"][path][method.lower()]["responses"]["200"][
            "content"
        ].items()
        assert reply.headers["Content-Type"].partition(";")[0] == media
        if media == "application/json":
            check(reply.json, content["schema"], document)
    tried = {(method, path) for method, path, *_ in calls}
    rest = {(e.method, e.path) for e in TABLE} - tried
    assert rest == {("GET", "/v1/audit/files/{name}")}, "answered with bytes; see test_calls"


def test_errors_are_what_the_document_says(api: Api, document: Any) -> None:
    for reply in (api.ask("GET", "/v1/whoami", who=""), api.ask("POST", "/v1/sessions", b"{")):
        schema = document["paths"]["/v1/whoami"]["get"]["responses"]["default"]["content"]
        check(reply.json, schema["application/json"]["schema"], document)


def test_the_checker_sees_what_is_wrong(document: Any) -> None:
    schema = {"$ref": "#/components/schemas/Problem"}
    values: list[Any] = [{}, {"code": 7, "message": "x"}, [], {"code": "x"}]
    for wrong in values:
        with pytest.raises(AssertionError):
            check(wrong, schema, document)


def check(value: Any, schema: dict[str, Any], document: Any) -> None:
    """As much of JSON Schema as the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if value is None:
            assert {"type": "null"} in schema["anyOf"]
            return
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        check(value, schema, document)
        return
    if "type" not in schema:
        return
    assert isinstance(value, FORMATS[schema["type"]]), (value, schema)
    if schema["type"] == "array":
        values: list[Any] = value if isinstance(value, list) else []
        for one in values:
            check(one, schema["items"], document)
    fields: dict[str, Any] = value if isinstance(value, dict) else {}
    for name in schema.get("required", []):
        assert name in fields, (name, value)
    for name, inner in schema.get("properties", {}).items():
        if name in fields:
            check(fields[name], inner, document)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        inner = [ref for one in value.values() for ref in _references(one)]
        return [value["$ref"], *inner] if "$ref" in value else inner
    return [ref for one in value for ref in _references(one)] if isinstance(value, list) else []


def test_the_document_is_json_of_a_bounded_size(api: Api) -> None:
    body = api.ask("GET", "/v1/openapi.json", who="").body
    assert len(body) < 100_000
    assert json.loads(body)["openapi"] == "3.1.0"
    assert msgspec.json.decode(body)["info"]["version"] == "0.1.0"
