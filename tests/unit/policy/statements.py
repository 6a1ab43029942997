"""A small audit log of statements, as the guard of a connection would have written it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbgate_core.audit import statement
from dbgate_core.audit.canonical import encode, entry
from dbgate_core.audit.who import who
from dbgate_core.decision import Decision, Verdict
from dbgate_core.policy import Policies
from dbgate_core.policy.records import Recorded, recorded
from dbgate_core.policy.sketch import sketch
from dbgate_core.principal import Principal
from dbgate_core.sql.analyse import analyse
from dbgate_core.verdicts import Subject
from tests.unit.policy.people import ALICE, DATABASES, DEVELOPMENT, PRODUCTION

TABLES = sketch(
    "create table customers (id int, email text); create table orders (id int, total int);"
    "create view mails as select email from customers; create table hr.salaries (id int)"
)


class Log:
    """Entries as the guard writes them, encoded and read back."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.entries: list[dict[str, Any]] = []

    def add(
        self,
        text: str,
        who_: Principal = ALICE,
        database: str = "dev",
        role: str = "readwrite",
        rows: int | None = None,
        masked: bool = False,
        approved: bool = False,
    ) -> None:
        subject = Subject(who_, DATABASES[database], role)
        read = analyse(text, TABLES, ("public",))
        decision = self.policies.statement(who_, DATABASES[database], role, read)
        if approved:
            decision = Decision(Verdict.ALLOW)
        said = statement.judged(read, decision)
        at = f"2026-01-31T12:00:{len(self.entries):02}.000000Z"
        kind = "statement" if decision.allowed else "statement_refused"
        scope = {
            "who": who(who_),
            "database": subject.database.name,
            "environment": subject.database.environment,
            "access_role": role,
            "policy": self.policies.version,
        }
        fields = {"kind": kind, "time": at, "scope": scope, "text": text, **said.fields}
        if approved:
            fields["request"] = "r-1"
        begin = len(self.entries)
        self._write(fields)
        if decision.allowed:
            end: dict[str, object] = {"kind": "statement_end", "begin": begin, "time": at}
            if rows is not None:
                end["rows"] = rows
            if masked:
                end["masked"] = [{"column": "email", "class": "email", "mask": "partial"}]
            self._write(end)

    def _write(self, fields: dict[str, object]) -> None:
        self.entries.append(entry(encode({"index": len(self.entries), **fields})))

    def statements(self) -> Iterator[Recorded]:
        facts = {each.name: each for each in (PRODUCTION, DEVELOPMENT)}
        return recorded(self.entries, facts)
