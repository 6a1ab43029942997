"""What a CI job might check against production: an ordinary test that knows nothing of dbgate."""

import os

import psycopg


def test_every_order_belongs_to_a_customer() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute(
            "select count(*) from orders o left join customers c on c.id = o.customer_id where c.id is null"
        ).fetchone()
    assert row == (0,)


def test_there_are_customers() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("select count(*) > 100 from customers").fetchone()
    assert row == (True,)
