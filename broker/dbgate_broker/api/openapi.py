"""The OpenAPI 3.1 document, made from the table and the contract's structs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from dbgate_broker.api.problems import JSON
from dbgate_broker.api.table import AnyEndpoint
from dbgate_core.contract import API_PREFIX, Problem

PATH: Final = f"{API_PREFIX}/openapi.json"
_REF: Final = "#/components/schemas/{name}"
_TOKEN: Final = "idToken"  # noqa: S105  # a scheme's name


def document(table: Sequence[AnyEndpoint], version: str) -> dict[str, Any]:
    """The whole document, as JSON values."""
    shapes = [Problem, *_structs(table)]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    known = dict(zip(map(repr, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "OIDC ID token"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "dbgate broker", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{_TOKEN: []}],
        "paths": paths,
        "components": {"schemas": _described(components), "securitySchemes": {_TOKEN: scheme}},
    }  # fmt: skip


def _structs(table: Sequence[AnyEndpoint]) -> list[Any]:
    answers = [endpoint.answer for endpoint in table if endpoint.answer is not None]
    return [*answers, *(endpoint.body for endpoint in table if endpoint.body is not None)]


def _operation(endpoint: AnyEndpoint, known: dict[str, Any]) -> dict[str, Any]:
    problem = {"description": "Failure", "content": {JSON: {"schema": known[repr(Problem)]}}}
    schema = known[repr(endpoint.answer)] if endpoint.answer is not None else {"type": "string"}
    media = endpoint.media.partition(";")[0]
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": {
            "200": {"description": endpoint.summary, "content": {media: {"schema": schema}}},
            "default": problem,
        },
    }
    if endpoint.body is not None:
        content = {JSON: {"schema": known[repr(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.anonymous:
        operation["security"] = []
    return operation


def _path_parameters(endpoint: AnyEndpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in endpoint.parameters
    ]


def _query_parameters(endpoint: AnyEndpoint) -> list[dict[str, Any]]:
    shape = endpoint.query
    schema = msgspec.json.schema(shape)["$defs"][shape.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": value}
        for name, value in schema["properties"].items()
    ]


def _described(components: dict[str, Any]) -> dict[str, Any]:
    """Docstrings without their indentation."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    return components
