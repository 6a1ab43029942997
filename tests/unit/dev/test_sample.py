"""The sample shop: the same everywhere, nobody's, and sensitive where it should be."""

from __future__ import annotations

import inspect
import ipaddress
import re
from importlib.resources import files

import pytest

from dbgate_broker.dev.sample import numbers, rows
from dbgate_broker.dev.sample.load import TABLES
from dbgate_core.masking.classes import classify_column

SCHEMA = files("dbgate_broker.dev.sample").joinpath("schema.sql").read_text()
COLUMN = re.compile(r"^  ([a-z_]+) +(.*?),?$", re.MULTILINE)


def columns(table: str) -> list[tuple[str, str]]:
    body = SCHEMA.split(f"CREATE TABLE {table} (")[1].split("\n);")[0]
    found = COLUMN.findall(body)
    return [(name, kind.split()[0]) for name, kind in found if name.islower()]


@pytest.mark.parametrize("table", TABLES)
def test_equal_seeds_give_equal_rows_and_others_do_not(table: str) -> None:
    first, second, other = (
        list(getattr(rows.Rows(seed), table)()) for seed in ("prod-db", "prod-db", "dev-db")
    )
    assert first == second
    if table != "products":
        assert first != other
    assert [row[0] for row in first] == list(range(1, len(first) + 1))


@pytest.mark.parametrize("table", TABLES)
def test_rows_fit_the_columns_they_are_copied_into(table: str) -> None:
    named = inspect.getdoc(getattr(rows.Rows, table)) or ""
    listed = named.split(";")[0].rstrip(".").split(", ")
    assert listed == [name for name, _ in columns(table)]
    assert {len(row) for row in getattr(rows.Rows("x"), table)()} == {len(listed)}


def test_orders_and_payments_refer_to_what_is_there() -> None:
    shop = rows.Rows("x")
    assert {row[1] for row in shop.orders()} <= set(range(1, rows.CUSTOMERS + 1))
    orders = [row[1] for row in shop.payments()]
    assert len(set(orders)) == len(orders)
    assert set(orders) <= set(range(1, rows.ORDERS + 1))


def luhn(number: str) -> bool:
    doubled = [int(c) * (1 + i % 2) for i, c in enumerate(reversed(number))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def mod97(iban: str) -> bool:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


LENGTHS = {"GB": 22, "DE": 22, "NL": 18, "FR": 27, "IE": 22}


def test_cards_and_accounts_pass_their_own_checks() -> None:
    for row in rows.Rows("x").payments():
        card, iban = row[3], row[4]
        assert (card is None) != (iban is None)
        if isinstance(card, str):
            assert luhn(card)
            assert card.startswith(numbers.CARD_PREFIXES)
        if isinstance(iban, str):
            assert mod97(iban)
            assert len(iban) == LENGTHS[iban[:2]]


def test_addresses_are_nobodys() -> None:
    documentation = [
        ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    ]
    for row in rows.Rows("x").users():
        assert any(ipaddress.ip_address(str(row[5])) in block for block in documentation)
        assert re.search(r"@(mail\.)?example\.(com|org|net)$", str(row[2]))


SENSITIVE = {
    "customers": {
        "full_name", "email", "phone", "birth_date", "street_address", "postal_code", "national_id",
    },
    "users": {"email", "password_hash", "api_token", "last_login_ip"},
    "products": set(),
    "orders": set(),
    "payments": {"card_number", "iban"},
    "employees": {
        "first_name", "last_name", "work_email", "iban", "date_of_birth", "national_id",
    },
    "support_tickets": set(),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_what_is_personal_is_recognised_and_nothing_else(table: str) -> None:
    found = {name for name, kind in columns(table) if classify_column(table, name, kind)}
    assert found == SENSITIVE[table]
