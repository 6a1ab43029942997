"""Error and notice texts say nothing of protected values."""

from __future__ import annotations

import pytest

from dbgate_core.masking.errors import WITHHELD, redact_error

VALUE = "zqmarker@example.com"


@pytest.mark.parametrize(
    ("fields", "message", "detail"),
    [
        ({"C": "23505", "M": 'duplicate key value violates unique constraint "users_email_key"',
          "D": f"Key (lower(email))=({VALUE}) already exists.", "R": "_bt_check_unique"},
         'duplicate key value violates unique constraint "users_email_key"',
         "Key (lower(email))=(***) already exists"),
        ({"C": "23P01", "M": 'conflicting key value violates exclusion constraint "x"',
          "D": f"Key (a)=({VALUE}) conflicts with existing key (a)=({VALUE})."},
         'conflicting key value violates exclusion constraint "x"', "Key (a)=(***) conflicts"),
        ({"C": "23502", "M": 'null value in column "phone" of relation "users" violates not-null constraint',
          "D": f"Failing row contains (1, {VALUE}, null)."},
         'null value in column "phone" of relation "users" violates not-null constraint',
         "Failing row contains (***)"),
        ({"C": "22P02", "M": f'invalid input syntax for type integer: "{VALUE}"'},
         'invalid input syntax for type integer: "***"', None),
        ({"C": "22P02", "M": f'invalid input syntax for type integer: "a"{VALUE}"b"'},
         'invalid input syntax for type integer: "***"', None),
        ({"C": "22021", "M": "invalid byte sequence for encoding: 0x7a 0x71"},
         "invalid byte sequence for encoding: ***", None),
        ({"C": "42P01", "M": f'relation "{VALUE}" does not exist'}, 'relation "***" does not exist', None),
        ({"C": "42P01", "M": 'relation "userz" does not exist', "P": "15"},
         'relation "userz" does not exist', None),
        ({"C": "42601", "M": f'syntax error at or near "{VALUE}"', "P": "1", "q": f"select {VALUE}", "W": "x"},
         'syntax error at or near "***"', None),
        ({"C": "P0001", "M": f"hello {VALUE}", "D": VALUE, "H": VALUE, "t": VALUE}, WITHHELD, WITHHELD),
        ({"C": "42501", "M": f"hello {VALUE}", "R": "exec_stmt_raise", "c": VALUE}, WITHHELD, None),
        ({"C": "00000", "M": f"hello {VALUE}", "R": "exec_stmt_raise"}, WITHHELD, None),
        ({"C": "XX000", "M": f"cannot {VALUE}"}, WITHHELD, None),
        ({"C": "42501", "M": "permission denied for table users", "R": "aclcheck_error"},
         "permission denied for table users", None),
        ({"C": "2202E", "M": "index 4242424242424242 out of valid range, 0..7"},
         "index *** out of valid range, ***", None),
        ({"C": "22023", "M": "percentile value 4.24e+15 is not between 0 and 1"},
         "percentile value *** is not between *** and ***", None),
        ({"C": "01000", "M": "PID 42424242 is not a PostgreSQL backend process"},
         "PID *** is not a PostgreSQL backend process", None),
        ({"C": "22003", "M": f"Wert »{VALUE}« ist außerhalb des Bereichs"},
         'Wert "***" ist außerhalb des Bereichs', None),
        ({"C": "26000", "M": f'prepared statement "{VALUE}" does not exist',
          "W": "PL/pgSQL function inline_code_block line 1 at EXECUTE", "n": VALUE},
         'prepared statement "***" does not exist', None),
        ({"C": "XX000", "M": f"cannot {VALUE}", "W": "PL/pgSQL-Funktion f() Zeile 1 bei EXECUTE"},
         WITHHELD, None),
        ({"C": "57014", "M": "canceling statement due to user request"},
         "canceling statement due to user request", None),
    ],
)  # fmt: skip
def test_a_value_is_taken_out(fields: dict[str, str], message: str, detail: str | None) -> None:
    redacted = redact_error({"S": "ERROR", **fields}, touches_protected=True)
    assert redacted["M"] == message
    assert redacted.get("D") == detail
    assert redacted["C"] == fields["C"]
    assert VALUE not in str(redacted)


def test_context_and_internal_query_are_removed() -> None:
    fields = {
        "C": "23505",
        "M": "m",
        "W": f"SQL statement {VALUE}",
        "q": VALUE,
        "p": "3",
        "F": "f.c",
    }
    assert redact_error(fields, touches_protected=True) == {"C": "23505", "M": "m", "F": "f.c"}


def test_nothing_is_touched_where_nothing_is_protected() -> None:
    fields = {"C": "P0001", "M": VALUE, "W": VALUE}
    assert redact_error(fields, touches_protected=False) is fields


TAKEN = 'relation "orders" already exists'


def test_a_name_that_ddl_finds_taken_is_shown() -> None:
    fields = {"C": "42P07", "M": TAKEN, "R": "heap_create_with_catalog"}
    assert redact_error(fields, touches_protected=True) == fields


@pytest.mark.parametrize(
    "more",
    [
        {"W": "PL/pgSQL function f() line 1 at EXECUTE"},
        {"W": "SQL function f"},
        {"q": "create table orders ()"},
        {"R": "exec_stmt_raise"},
        {"R": "somebodys_extension"},
        {"C": "42710", "R": "ReplicationSlotCreate"},
    ],
)
def test_a_name_that_may_be_made_of_values_is_not(more: dict[str, str]) -> None:
    fields = {"C": "42P07", "M": TAKEN, "R": "heap_create_with_catalog", **more}
    assert "orders" not in redact_error(fields, touches_protected=True)["M"]
