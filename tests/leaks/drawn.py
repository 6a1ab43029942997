"""Cases drawn from a grammar: own tables, views and functions over the corpus' tables, and queries of them.

A case is made of one number, so that the same number makes it again. Many a drawn statement fails on the
server, or is refused; what counts is that no protected value comes out of any. (In some 7,000 cases initials, which
partial masks leave, once spelled a part of a core by their repetition: "split" wants a look at the values.)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tests.leaks.corpus import Case

TEXT, NUMBER, DAY, OTHER = "text", "number", "day", "other"
COLUMNS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "people": {
        TEXT: ("email", "phone", "first_name", "last_name", "street_address", "ssn", "iban", "work_mail",
               "city", "shade"),
        NUMBER: ("mobile", "card_number", "id", "login_count", "score"),
        DAY: ("birth_date", "created_at"),
        OTHER: ("billing_address", "emails", "mobile_numbers", "home_address", "addresses", "api_key", "last_ip",
                "avatar_token"),
    },
    "formats": {
        TEXT: ("passport", "password", "kind"),
        NUMBER: ("national_id", "id"),
        DAY: ("date_of_birth", "born_at"),
        OTHER: ("personal_data", "secret", "session_token", "phone", "birth_dates", "tax_id", "backup_codes",
                "billing_address", "iban", "email"),
    },
    "contacts": {TEXT: ("handle", "loud", "city"), NUMBER: ("id",), DAY: (), OTHER: ()},
    "contacts_again": {TEXT: ("loud",), NUMBER: ("size",), DAY: (), OTHER: ()},
    "everyone": {TEXT: ("x",), NUMBER: ("id",), DAY: (), OTHER: ()},
    "joined": {TEXT: ("code",), NUMBER: ("total", "id"), DAY: (), OTHER: ()},
    "snapshot": {TEXT: ("code", "city"), NUMBER: ("id",), DAY: (), OTHER: ()},
    "clients": {TEXT: ("name",), NUMBER: ("id",), DAY: (), OTHER: ()},
    "email": {TEXT: ("email",), NUMBER: ("id",), DAY: (), OTHER: ()},
    "products": {TEXT: ("title",), NUMBER: ("price", "id"), DAY: ("added",), OTHER: ("tags",)},
    "orders": {TEXT: (), NUMBER: ("id", "person_id", "total"), DAY: (), OTHER: ()},
}  # fmt: skip
_TEXTS: Final = (
    "lower({t})", "upper({t})", "reverse({t})", "{t} || {t}", "coalesce({t}, {t})", "substr({t}, {i}, {i})",
    "left({t}, {i})", "replace({t}, 'a', {t})", "concat_ws('-', {t}, {n}, {t})", "format('%s/%s', {t}, {t})",
    "quote_literal({t})", "split_part({t}, '@', {i})", "regexp_replace({t}, '.', 'x')", "translate({t}, 'ab', 'cd')",
    "({n})::text", "to_char({d}, 'YYYY-MM-DD')", "({d})::text", "({o})::text", "to_json({t})::text",
    "to_jsonb({o})::text", "encode(convert_to({t}, 'UTF8'), '{e}')", "(select max({t}) from {s})",
    "case when {c} then {t} else {t} end", "string_agg({t}, ',')", "min({t})", "max({t})", "array_agg({t})::text",
    "(array_agg({t}))[1]", "json_agg({o})::text", "row({t}, {n})::text", "({a})::text", "row_to_json({a})::text",
    "json_build_object('k', {t})::text", "lag({t}) over (order by {n})", "first_value({t}) over ()", "echo({t})",
    "mail_of({n}::int)", "one_mail()", "nullif({t}, {t})", "greatest({t}, {t})", "lpad({t}, 40, {t})",
    "(({a}).{t0})::text", "xmlelement(name x, {t})::text", "({t})::name::text", "({t})::varchar(30)", "glued({t})",
    "array_to_string(array[{t}, {t}], ',')", "(jsonb_build_array({t}, {o}) ->> 0)", "hstore('k', {t})::text",
)  # fmt: skip
_NUMBERS: Final = (
    "length({t})", "ascii({t})", "{n} + {n}", "count({t})", "sum({n})", "max({n})", "avg({n})", "position('a' in {t})",
    "({n})::numeric", "extract(epoch from {d})", "({d})::date - date '2000-01-01'", "count(*)", "coalesce({n}, {n})",
    "row_number() over (order by {t})", "(select {n} from {s} limit 1)",
)  # fmt: skip
_CONDITIONS: Final = (
    "{t} = {t}", "{t} like '%a%'", "{n} > {i}", "{t} is not null", "exists (select 1 from {s} where {n} = {n})",
    "{n} in (select {n} from {s})", "{d} < now()", "true", "length({t}) > {i} or {n} < {i}",
)  # fmt: skip


class Drawn:
    """One case, drawn by its number."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self._columns = dict(COLUMNS)
        self._made = 0

    def case(self) -> Case:
        """Some definitions, then some statements over them."""
        steps = [self._definition() for _ in range(self._random.choice((0, 0, 1, 2)))]
        for _ in range(self._random.choice((1, 1, 2, 3))):
            steps += self._statements()
        return Case("drawn", tuple(steps))

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _fill(self, form: str, alias: str, source: str, depth: int) -> str:
        """The form with parts for its names, over columns of the source under that alias."""
        parts: dict[str, Callable[[], str]] = {
            "t": lambda: self._text(alias, source, depth - 1),
            "n": lambda: self._number(alias, source, depth - 1),
            "d": lambda: self._column(alias, source, DAY, "now()"),
            "o": lambda: self._column(alias, source, OTHER, f"{alias}"),
            "c": lambda: self._condition(alias, source, depth - 1),
            "i": lambda: str(self._random.randint(1, 20)),
            "e": lambda: self._pick("hex", "base64", "escape"),
            "s": lambda: self._pick(*self._columns),
            "a": lambda: alias,
            "t0": lambda: self._pick(*(self._columns[source][TEXT] or ("id",))),
        }
        out, rest = "", form
        while "{" in rest:
            before, _, behind = rest.partition("{")
            name, _, rest = behind.partition("}")
            out += before + parts[name]()
        return out + rest

    def _column(self, alias: str, source: str, kind: str, other: str) -> str:
        names = self._columns[source][kind]
        return f"{alias}.{self._pick(*names)}" if names else other

    def _text(self, alias: str, source: str, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.3:
            return self._column(alias, source, TEXT, "'x'")
        return self._fill(self._pick(*_TEXTS), alias, source, depth)

    def _number(self, alias: str, source: str, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.4:
            return self._column(alias, source, NUMBER, "1")
        return self._fill(self._pick(*_NUMBERS), alias, source, depth)

    def _condition(self, alias: str, source: str, depth: int) -> str:
        return self._fill(self._pick(*_CONDITIONS), alias, source, max(1, depth))

    def _output(self, alias: str, source: str, depth: int) -> str:
        return self._pick(
            self._text(alias, source, depth),
            self._text(alias, source, depth),
            self._number(alias, source, depth),
            self._column(alias, source, OTHER, f"{alias}"),
            self._column(alias, source, DAY, f"{alias}.*"),
            f"{alias}.*",
            alias,
        )

    def _query(self, depth: int) -> str:
        form = self._random.randrange(8) if depth > 0 else 0
        if form == 1:
            return f"({self._plain(depth)}) {self._pick('union', 'union all', 'except', 'intersect')} ({self._plain(depth)})"
        if form == 2:
            return f"with c as ({self._query(depth - 1)}) select {self._pick('*', 'c', 'c::text', 'count(*)')} from c"
        if form == 3:
            return f"select {self._pick('*', 's', 's::text', 'row_to_json(s)', 'min(s::text)')} from ({self._query(depth - 1)}) s"
        if form == 4:
            source = self._pick(*self._columns)
            inner = self._text("a", source, depth)
            return f"select l.x, a.* from {source} a, lateral (select {inner} as x) l"
        if form == 5:
            return f"select array({self._one_column(depth)})"
        if form == 6:
            source = self._pick(*self._columns)
            text = self._text("a", source, 1)
            return (
                f"with recursive r(n, x) as (select 1, {text}::text from {source} a union all"
                " select n + 1, x || n from r where n < 3) select * from r"
            )
        return self._plain(depth)

    def _one_column(self, depth: int) -> str:
        source = self._pick(*self._columns)
        return f"select {self._text('a', source, depth)} from {source} a"

    def _plain(self, depth: int) -> str:
        source = self._pick(*self._columns)
        outputs = ", ".join(
            self._output("a", source, depth) for _ in range(self._random.choice((1, 1, 2, 3)))
        )
        joined = self._pick(
            "", "", "", f", {self._pick(*self._columns)} b", " left join people p on true"
        )
        where = self._pick("", "", f" where {self._condition('a', source, 2)}")
        tail = self._pick(
            "",
            "",
            f" order by {self._text('a', source, 1)}",
            " order by 1",
            " limit 3",
            " group by 1",
        )
        return f"select {self._pick('', '', 'distinct ')}{outputs} from {source} a{joined}{where}{tail}"

    def _definition(self) -> str:
        self._made += 1
        name = f"made_{self._made}"
        query = (
            self._one_column(2)
            .replace("select ", "select a.id, ", 1)
            .replace(" from", " as x from", 1)
        )
        if self._random.random() < 0.5:
            query = self._query(2)
        self._columns[name] = {TEXT: ("x",), NUMBER: ("id",), DAY: (), OTHER: ()}
        match self._random.randrange(5):
            case 0:
                return f"create view {name} as {query}"
            case 1:
                return f"create temp table {name} as {query}"
            case 2:
                return f"create table {name} as {query}"
            case 3:
                return f"create materialized view {name} as {query}"
        del self._columns[name]
        return f"create function {name}() returns setof text language sql as $f$ {self._one_column(2)} $f$"

    def _statements(self) -> list[str]:
        query = self._query(2)
        one, text = self._one_column(2), self._pick("text", "csv", "binary")
        return self._random.choice((
            [query], [query], [query], [query],
            [f"copy ({query}) to stdout (format {text})"],
            [f"explain (analyze, verbose, costs off) {query}"],
            [f"declare c cursor for {query}", "fetch 2 from c", "fetch all from c"],
            [f"prepare q as {query}", "execute q", "execute q"],
            [f"create temp table held as {query}", "select * from held", "select held::text from held"],
            [f"insert into notes (body) {one}", "select * from notes"],
            [f"with i as (insert into notes (body) {one} returning body) select * from i"],
            [f"select ({self._text('a', 'people', 2)})::int from people a"],
            [f"update products set title = ({one} limit 1) returning title, title || 'x'", "select title from products"],
            ["insert into people (id, email) values (1, 'x')", "select 1"],
            [f"do $d$ declare r record; begin for r in {query} loop raise notice '%', r; end loop; end $d$"],
            [f"merge into products p using ({one}) s(x) on p.title = s.x when not matched then"
             " insert (id, title) values (99, s.x)", "select * from products"],
            [f"select * from query_to_xml($q${query}$q$, true, true, '')"],
            [f"select set_config('my.value', ({one} limit 1), true)", "select current_setting('my.value')"],
            [f"delete from orders where id in (select 1) returning ({one} limit 1)"],
        ))  # fmt: skip
