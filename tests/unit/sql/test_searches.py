"""By what rows are picked: each way to learn of a protected column by it has its name."""

from __future__ import annotations

import pytest

from dbgate_core.behaviour import Behaviour, Routine
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.views import with_view_classes
from dbgate_core.sql.analyse import analyse
from dbgate_core.sql.searches import _Names

INT, TEXT = 23, 25
EMAIL = frozenset({DataClass.EMAIL})
PEOPLE = CatalogRelation(
    1, "public", "people", RelationKind.TABLE,
    (Column(1, "id", INT), Column(2, "email", TEXT, EMAIL), Column(3, "city", TEXT)),
)  # fmt: skip
ORDERS = CatalogRelation(
    2, "public", "orders", RelationKind.TABLE,
    (Column(1, "id", INT), Column(2, "person", INT), Column(3, "note", TEXT)),
)  # fmt: skip
SEEN = CatalogRelation(
    3, "public", "seen", RelationKind.VIEW,
    (Column(1, "id", INT), Column(2, "mail", TEXT)),
    "select id, email as mail from people",
)  # fmt: skip
SHOP = with_view_classes(Catalog([PEOPLE, ORDERS, SEEN], "1"))

FOUND = {
    "select id from people where email = 'a@b.c'": "equality",
    "select id from people where email in ('a', 'b') and id > 3": "equality",
    "select id from people where email = any($1)": "equality",
    "select id from people where lower(email) = lower($1)": "equality",
    "select id from people p where p.email::text = 'x'": "equality",
    "select id from people where email is not distinct from 'x'": "equality",
    "select id from people where email like 'a%'": "pattern",
    "select id from people where email ilike $1": "pattern",
    "select id from people where email ~ '^a'": "pattern",
    "select id from people where email similar to 'a%'": "pattern",
    "select id from people where email ^@ 'a'": "pattern",
    "select id from people where email < 'm'": "range",
    "select id from people where email <> 'm'": "range",
    "select id from people where email between 'a' and 'b'": "range",
    "select id from people where not (id = 1 or email > 'm')": "range",
    "select id from people where substr(email, 1, 1) = 'a'": "other",
    "select id from people where length(email) = 7": "other",
    "select id from people where email || 'x' = 'y'": "other",
    "select id from people where people::text like '%a%'": "pattern",
    "select count(*) filter (where email like 'a%') from people": "pattern",
    "select sum(case when email like 'a%' then 1 else 0 end) from people": "pattern",
    "select sum(case email when 'a@b.c' then 1 else 0 end) from people": "equality",
    "select sum(case substr(email, 1, 1) when 'a' then 1 else 0 end) from people": "other",
    "select sum(case 'a' when left(email, 1) then 1 else 0 end) from people": "other",
    "select id from orders limit (select ascii(email) from people where id = 1)": "other",
    "select id from orders offset (select length(email) from people where id = 1)": "other",
    "select count(*) from people, generate_series(1, ascii(email))": "other",
    "select count(*) from people, rows from (unnest(array_fill(1, array[length(email)]))) g": "other",
    "select count(nullif(email like 'a%', false)) from people": "pattern",
    "select sum((email like 'a%')::int) from people": "pattern",
    "select count(nullif(email, 'a@b.c')) from people": "other",
    "select email > 'm' from people": "range",
    "select 1 / (ascii(email) - 97) from people": "other",
    "select id from people order by email": "order",
    "select id, email from people order by 2": "order",
    "select people.*, 1 from people order by 1": "order",
    "select * from people order by 2": "order",
    "select row_number() over (order by email) from people": "order",
    "select row_number() over w from people window w as (order by email)": "order",
    "select array_agg(id order by email) from people": "order",
    "select count(*) from people group by email": "group",
    "select distinct email from people": "group",
    "select distinct on (email) id from people": "group",
    "select count(*) over (partition by email) from people": "group",
    "select o.id from orders o join people p on p.email = o.note": "join",
    "select id from people join (values ('a')) v(email) using (email)": "join",
    "select id from people where email in (select note from orders)": "join",
    "select id from people where email = (select max(note) from orders)": "join",
    "select 1 where 'm' > all (select email from people union all select 'a')": "other",
    "select count(nullif('m' > all (select email from people), false))": "other",
    "select 1 where 'a' in (select email from people union all select 'b')": "other",
    "select email in (select note from orders) from people": "join",
    "select email from people intersect select 'a'": "join",
    "select 'a' union select email from people": "join",
    "(select 'a' union all select email from people) intersect select 'b'": "join",
    "select id from (select id, email as e from people) s where e like 'a%'": "pattern",
    "with c as (select email as e from people) select 1 from c where e > 'm'": "range",
    "with c(x) as (select email from people) select 1 from c where x > 'm'": "range",
    "select 1 from (select email like 'a%' as m from people) s where m": "other",
    "select id from seen where mail like 'a%'": "pattern",
    "select 1 where exists (select 1 from people where email like 'a%')": "pattern",
    "select 1 union all select id from people where email like 'a%'": "pattern",
    "update people set city = 'x' where email like 'a%'": "pattern",
    "delete from people where email < 'm'": "range",
    "merge into people p using orders o on p.email = o.note when matched then delete": "join",
    "insert into orders select 1, id, 'x' from people where email like 'a%'": "pattern",
    "prepare x as select id from people where email like 'a%'": "pattern",
    "copy (select id from people where email like 'a%') to stdout": "pattern",
    "explain analyze select id from people where email like 'a%'": "pattern",
}  # fmt: skip
NOTHING = [
    "select email from people where id = 1",
    "select part from people, unnest(email) part",
    "select count(*) from people where city like 'a%' group by city order by 1",
    "select id from people where email is not null",
    "select o.id from orders o join people p on p.id = o.person where o.note like 'a%'",
    "select id from orders order by note",
    "select email from people where id in (select person from orders)",
    "select upper(email), email || '!' from people",
    "select id = 3, id / 2, city like 'a%' from people",
    "select email, id from people order by 2",
    "select email from people union all select note from orders",
    "select 1 from (select id, city as c from people) s where c like 'a%' order by c",
    "insert into people values (1, 'a', 'b')",
    "update people set email = 'a' where id = 3",
]


@pytest.mark.parametrize("text", FOUND)
def test_what_tells_of_a_protected_column(text: str) -> None:
    found = analyse(text, SHOP).searches
    ways = {search.how.value for search in found}
    assert FOUND[text] in ways
    assert FOUND[text] != "equality" or ways == {"equality"}
    assert {search.column for search in found} <= {"public.people.email", "public.seen.mail"}
    assert found


@pytest.mark.parametrize("text", NOTHING)
def test_what_tells_nothing(text: str) -> None:
    assert analyse(text, SHOP).searches == frozenset()


def test_without_classes_there_is_nothing_to_look_for() -> None:
    assert not analyse("select id from people where email like 'a%'").searches


@pytest.mark.parametrize(
    "text",
    [
        "select distinct on ("
        + ", ".join(["email"] * 3_000)
        + ") "
        + ", ".join(["email"] * 3_000)
        + " from people",
        " union ".join(["select email from people"] * 300),
        "select case email || email " + "when 'a' then 1 " * 400 + "end from people",
        "select id from people where email in (" + ", ".join(["'a'"] * 50_000) + ")",
        "select " + ", ".join(f"email as c{n}" for n in range(5_000)) + " from people",
        "select 1 from " + ", ".join(f"people a{n}" for n in range(3_000)),
    ],
    ids=["distinct", "union", "case", "list", "aliases", "tables"],
)
def test_the_work_grows_with_the_text(text: str) -> None:
    """Counted, not timed: so many looks at nodes for so many bytes."""
    looks = 0

    def count(self: _Names, node: object) -> frozenset[str]:
        nonlocal looks
        looks += 1
        return within(self, node)

    within = _Names.within
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Names, "within", count)
        analyse(text, SHOP)
    assert looks < len(text)


def routine(oid: int, name: str, body: str, language: str) -> Routine:
    text = (
        f"create function {name}(p text, q record) returns int language {language} as $f${body}$f$"
    )
    return Routine(oid, "public", name, language, "stable", definition=text)


BEHIND = Behaviour(
    {
        one.oid: one
        for one in (
            routine(1, "by_key", "select id from people where email = p", "sql"),
            routine(2, "by_number", "select id from people where email = $1", "sql"),
            routine(3, "by_part", "select id from people where email like p || '%'", "sql"),
            routine(4, "by_row", "begin return (select id from people where email = q.x); end", "plpgsql"),
            routine(5, "by_loop", "begin for q in select id from people order by email loop null; end loop; return 1; end", "plpgsql"),
            routine(6, "by_call", "begin return by_part(p); end", "plpgsql"),
            routine(7, "by_id", "select id from people where id = 1", "sql"),
        )
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("select by_key('x')", {"equality"}),
        ("select by_number('x')", {"equality"}),
        ("select by_part('x')", {"pattern"}),
        ("select by_row('x')", {"equality"}),
        ("select by_loop('x')", {"order"}),
        ("select by_call('x')", {"pattern"}),
        ("select by_id('x')", set()),
        ("do $$ begin perform id from people where email like 'a%'; end $$", {"pattern"}),
        ("do $$ declare v text := 'x'; begin perform id from people where email = v; end $$", {"equality"}),
    ],
)  # fmt: skip
def test_what_bodies_search_by_belongs_to_the_statement(text: str, how: set[str]) -> None:
    catalog = Catalog(SHOP.relations, "1", behaviour=BEHIND)
    assert {str(search.how) for search in analyse(text, catalog).searches} == how


@pytest.mark.parametrize(
    ("target", "tells"),
    [
        ("substr(email, 1, 1)::int", True),
        ("(email || '')::date", True),
        ("cast(left(email, 2) as numeric)", True),
        ("substr(email, 1, 1)::text", False),
        ("email::varchar(3)", False),
        ("(city || '1')::int", False),
    ],
)
def test_a_cast_that_may_fail_tells_of_a_part_of_a_value(target: str, tells: bool) -> None:
    assert bool(analyse(f"select {target} from people", SHOP).searches) is tells
