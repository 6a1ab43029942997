"""All suites, the quick ones first."""

from __future__ import annotations

from tests.transparency.suite import Suite
from tests.transparency.suites.asyncpg import Asyncpg
from tests.transparency.suites.dump import Dump
from tests.transparency.suites.node import NodePostgres
from tests.transparency.suites.pgbench import Pgbench
from tests.transparency.suites.psql import Psql
from tests.transparency.suites.psycopg import Psycopg
from tests.transparency.suites.regress import Regress
from tests.transparency.suites.sqlalchemy import SqlAlchemy

SUITES: tuple[Suite, ...] = (
    Psql(),
    Pgbench(),
    Dump(),
    NodePostgres(),
    SqlAlchemy(),
    Asyncpg(),
    Psycopg(),
    Regress(),
)
