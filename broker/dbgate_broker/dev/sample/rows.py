"""The rows of the sample shop: pure, from one seed to the same rows everywhere."""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dbgate_broker.dev.sample import numbers, words

CUSTOMERS: Final = 500
USERS: Final = 120
PRODUCTS: Final = 200
ORDERS: Final = 5000
PAYMENTS: Final = 3500
EMPLOYEES: Final = 60
TICKETS: Final = 250
NOW: Final = datetime(2026, 9, 1, 9, tzinfo=UTC)
"""The data ends here, whatever the clock says: equal homes hold equal rows."""

Value = str | int | float | bool | date | datetime | None
Row = tuple[Value, ...]


class Rows:
    """One table's rows a method. Each has a dice of its own, so that tables do not shift another."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def _dice(self, table: str) -> random.Random:
        return random.Random(f"{self._seed}/{table}")  # noqa: S311 - to be the same, not to be secret

    def customers(self) -> Iterator[Row]:
        """id, full_name, email, phone, birth_date, street_address, city, postal_code, country, national_id, created_at."""
        dice = self._dice("customers")
        for number in range(1, CUSTOMERS + 1):
            given, family = _person(dice)
            country = dice.choice(sorted(words.CITIES))
            yield (
                number,
                f"{given} {family}",
                _mail(given, family, number, dice),
                numbers.phone(dice, country),
                date(1945, 1, 1) + timedelta(days=dice.randrange(60 * 365)),
                f"{dice.randint(1, 240)} {dice.choice(words.STREETS)}",
                dice.choice(words.CITIES[country]),
                f"{dice.randint(0, 99999):05d}",
                country,
                numbers.national_id(dice, country),
                _moment(dice, 900),
            )

    def users(self) -> Iterator[Row]:
        """id, username, email, password_hash, api_token, last_login_ip, is_active, created_at."""
        dice = self._dice("users")
        for number in range(1, USERS + 1):
            given, family = _person(dice)
            yield (
                number,
                f"{_ascii(given)[:1]}{_ascii(family)}{number}",
                _mail(given, family, number, dice),
                f"$scrypt$ln=16,r=8,p=1${_token(dice, 11)}${_token(dice, 22)}",
                f"shop_{_token(dice, 20)}",
                numbers.address_of_documentation(dice),
                dice.random() < 0.93,
                _moment(dice, 900),
            )

    def products(self) -> Iterator[Row]:
        """id, sku, title, category, price, stock."""
        dice = self._dice("products")
        shelf = [(c, p, v) for c, ps in words.PRODUCTS.items() for p in ps for v in words.VARIANTS]
        for number, (category, product, variant) in enumerate(shelf[:PRODUCTS], 1):
            sku = f"{category[:2].upper()}-{number:04d}-{variant[:3].upper()}"
            price = dice.randint(300, 18000) / 100
            yield number, sku, f"{product}, {variant}", category, price, dice.randint(0, 400)

    def orders(self) -> Iterator[Row]:
        """id, customer_id, status, total, created_at."""
        dice = self._dice("orders")
        for number in range(1, ORDERS + 1):
            status = "paid" if number == 1 else dice.choice(words.STATUSES)
            total = dice.randint(500, 90000) / 100
            yield number, dice.randint(1, CUSTOMERS), status, total, _moment(dice, 720)

    def payments(self) -> Iterator[Row]:
        """id, order_id, method, card_number, iban, amount, paid_at."""
        dice = self._dice("payments")
        for number, order in enumerate(sorted(dice.sample(range(1, ORDERS + 1), PAYMENTS)), 1):
            by_card = dice.random() < 0.7
            yield (
                number,
                order,
                "card" if by_card else "transfer",
                numbers.card_number(dice) if by_card else None,
                None if by_card else numbers.iban(dice),
                dice.randint(500, 90000) / 100,
                _moment(dice, 700),
            )

    def employees(self) -> Iterator[Row]:
        """id, first_name, last_name, work_email, job, salary, iban, date_of_birth, national_id, hired_on."""
        dice = self._dice("employees")
        for number in range(1, EMPLOYEES + 1):
            given, family = _person(dice)
            yield (
                number,
                given,
                family,
                f"{_ascii(given)}.{_ascii(family)}@shop.example",
                dice.choice(words.JOBS),
                dice.randint(28, 110) * 1000,
                numbers.iban(dice),
                date(1962, 1, 1) + timedelta(days=dice.randrange(40 * 365)),
                numbers.national_id(dice, dice.choice(sorted(words.CITIES))),
                NOW.date() - timedelta(days=dice.randrange(3000)),
            )

    def support_tickets(self) -> Iterator[Row]:
        """id, customer_id, subject, body, state, opened_at; bodies hold addresses, as people write."""
        dice = self._dice("support_tickets")
        for number in range(1, TICKETS + 1):
            given, family = _person(dice)
            trouble = dice.choice(words.COMPLAINTS)
            reach = _mail(given, family, number, dice)
            yield (
                number,
                dice.randint(1, CUSTOMERS),
                trouble.capitalize(),
                f"Hello, {trouble}. Write to {reach} or call {numbers.phone(dice, 'Ireland')}.",
                dice.choice(("open", "waiting", "closed")),
                _moment(dice, 200),
            )


def _person(dice: random.Random) -> tuple[str, str]:
    return dice.choice(words.GIVEN), dice.choice(words.FAMILY)


def _mail(given: str, family: str, number: int, dice: random.Random) -> str:
    return f"{_ascii(given)}.{_ascii(family)}{number}@{dice.choice(words.MAIL_HOSTS)}"


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name)
    return "".join(c for c in folded.lower() if c.isascii() and c.isalpha())


def _moment(dice: random.Random, days: int) -> datetime:
    return NOW - timedelta(seconds=dice.randrange(days * 86400))


def _token(dice: random.Random, length: int) -> str:
    return hashlib.sha256(dice.randbytes(32)).hexdigest()[: length * 2]
