"""Judging alone, without sockets: the shipped production policy on a small shop's catalog."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from dbgate_broker.policies import read_policies, shipped
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.database import DatabaseFacts
from dbgate_core.decision import Verdict
from dbgate_core.principal import Principal, PrincipalKind
from dbgate_core.verdicts import Subject, Verdicts
from tests.bench.stack import Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, median

NUMBER, TEXT = 20, 25
COLUMNS = {
    "customers": ("id", "region", "segment"),
    "orders": ("id", "customer_id", "placed", "total"),
    "items": ("order_id", "product_id", "quantity", "price"),
    "products": ("id", "category", "title"),
}
WORDS = frozenset({"region", "segment", "category", "title", "placed"})
ALICE = Principal(PrincipalKind.USER, "alice", "https://issuer", "1", frozenset({"developers"}))
SUBJECT = Subject(ALICE, DatabaseFacts("prod-db", "production"), "readonly")
PATH = ("public",)
SIMPLE = "SELECT id, total FROM orders WHERE id = {};"
SHORT_CHARS, LONG_CHARS = 200, 5_000
WARM_UP = 50
SAME, SHAPE, NEW, ANALYTIC = "same text", "same shape", "new, 200 characters", "new, 5 KB"
GOALS = {SAME: Goal(5), SHAPE: Goal(10), NEW: Goal(300), ANALYTIC: Goal(5_000)}
TIMES = {SAME: 20_000, SHAPE: 5_000, NEW: 500, ANALYTIC: 40}


def catalog() -> Catalog:
    """The shop; nothing in it is protected."""
    relations = [
        CatalogRelation(
            20_000 + place,
            "public",
            name,
            RelationKind.TABLE,
            tuple(
                Column(number, column, TEXT if column in WORDS else NUMBER)
                for number, column in enumerate(columns, 1)
            ),
        )
        for place, (name, columns) in enumerate(COLUMNS.items())
    ]
    return Catalog(relations, "1")


def new_text(number: int) -> str:
    """A join of 200 characters whose shape no other number has."""
    text = (
        f"SELECT c.region AS r{number}, sum(o.total) AS s{number} FROM customers c JOIN orders o"
        f" ON o.customer_id = c.id WHERE c.segment = 'a' AND o.total > 10 GROUP BY c.region"
    )
    return f"{text} ORDER BY s{number} DESC"[:SHORT_CHARS].ljust(SHORT_CHARS)


def analytic_text(number: int) -> str:
    """Common table expressions over joins, each on the one before, of five kilobytes."""
    parts = [f"p{number}_0 AS (SELECT id AS customer_id, region AS k, 0 AS v FROM customers)"]
    while sum(map(len, parts)) < LONG_CHARS - 400:
        last, this = (f"p{number}_{len(parts) - back}" for back in (1, 0))
        parts.append(
            f"{this} AS (SELECT b.customer_id, r.category AS k, sum(i.quantity * i.price) AS v,"
            " rank() OVER (PARTITION BY r.category ORDER BY sum(i.price) DESC) AS n"
            f" FROM {last} b JOIN orders o ON o.customer_id = b.customer_id"
            " JOIN items i ON i.order_id = o.id JOIN products r ON r.id = i.product_id"
            " WHERE o.total BETWEEN 10 AND 1000 AND coalesce(b.v, 0) >= 0"
            " GROUP BY b.customer_id, r.category HAVING count(*) > 1)"
        )
    last = f"p{number}_{len(parts) - 1}"
    return f"WITH {', '.join(parts)} SELECT k, avg(v) FROM {last} GROUP BY k ORDER BY 2 DESC"


TEXTS: dict[str, Callable[[int], str]] = {
    SAME: lambda number: SIMPLE.format(1),
    SHAPE: SIMPLE.format,
    NEW: new_text,
    ANALYTIC: analytic_text,
}


def take(bench: Bench, subject: str) -> Figures:
    """CPU microseconds of this thread for one verdict."""
    verdicts, shop = Verdicts(read_policies(shipped("default"))), catalog()
    numbers = count()
    warm = [TEXTS[subject](next(numbers)) for _ in range(WARM_UP)]
    texts = [TEXTS[subject](next(numbers)) for _ in range(TIMES[subject])]
    for text in warm:
        judged = verdicts.judge(SUBJECT, text, shop, PATH)
        assert judged.decision.verdict is Verdict.ALLOW, judged.decision.message
    begun = time.thread_time()
    for text in texts:
        verdicts.judge(SUBJECT, text, shop, PATH)
    return {"us": (time.thread_time() - begun) / len(texts) * 1e6}


def lines(taken: Taken) -> list[Line]:
    """Each kind of text."""
    return [
        Line(f"verdict, {kind}: CPU", median(taken, kind, "us"), "us", goal)
        for kind, goal in GOALS.items()
    ]


WORKS = (Work("verdicts", tuple(GOALS), take, lines),)
