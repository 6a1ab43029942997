"""Errors that come over the wire, as the command line's own."""

from __future__ import annotations

import pytest

from dbgate_cli.app import explain
from dbgate_cli.pgclient import server_error
from dbgate_core.errors import DbgateError, Denied, NotSignedIn, Unreachable
from dbgate_core.pgwire import messages
from dbgate_core.pgwire.guard import Refusal


def test_a_refusal_of_the_gateway_is_a_denial_with_its_rule(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refusal = Refusal("42501", "dropping a table is not allowed", hint="ask", rule="no-drop")
    error = server_error(messages.error_response(refusal)[5:])
    assert type(error) is Denied
    assert (error.rule, error.hint) == ("no-drop", "ask")
    assert explain(error) == 4
    assert capsys.readouterr().err == (
        "dbgate: error: dropping a table is not allowed (SQLSTATE 42501) (rule no-drop)\n"
        "dbgate: hint: ask\n"
    )


def response(**fields: str) -> bytes:
    return messages.encode_fields({"S": "ERROR", "V": "ERROR", "M": "m", **fields})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (response(C="42501", R="aclcheck_error"), DbgateError),
        (response(C="42501"), Denied),
        (response(C="28P01"), NotSignedIn),
        (response(C="57P01"), Unreachable),
        (response(C="53100"), Unreachable),
        (response(C="08006"), Unreachable),
        (response(C="22012", D="rule: no-drop"), DbgateError),
        (b"", DbgateError),
    ],
)
def test_the_class_is_that_of_the_sqlstate(body: bytes, kind: type[DbgateError]) -> None:
    error = server_error(body)
    assert type(error) is kind
    assert not error.rule
