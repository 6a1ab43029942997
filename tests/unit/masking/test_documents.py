"""Members of documents: which are shown, which are masked, and that none can be moved into another."""

from __future__ import annotations

import pytest

from dbgate_core.behaviour import Behaviour
from dbgate_core.catalog import Catalog, CatalogRelation, Column, RelationKind
from dbgate_core.masking.classes import DataClass
from dbgate_core.masking.document import Document
from dbgate_core.masking.flows import hidden_flow
from dbgate_core.masking.scope import Scope
from dbgate_core.masking.statements import result_outputs

EMAIL = frozenset({DataClass.EMAIL})
CLEAR = frozenset[DataClass]()
DOCUMENT = Document(
    (
        (("email",), EMAIL),
        (("theme",), CLEAR),
        (("lines", "*", "sku"), CLEAR),
        (("user", "mail"), EMAIL),
        (("user", "plan"), CLEAR),
    )
)
COLUMNS = (
    Column(1, "id", 23),
    Column(2, "d", 3802, EMAIL, derived=True, document=DOCUMENT),
    Column(3, "note", 25),
)
TABLE = CatalogRelation(20_000, "public", "t", RelationKind.TABLE, COLUMNS)
SHOWN = Document(((("email",), CLEAR), (("user", "mail"), EMAIL)))
ARCHIVE = CatalogRelation(
    20_002,
    "public",
    "archive",
    RelationKind.TABLE,
    (Column(1, "d", 3802, EMAIL, derived=True, document=SHOWN),),
)
WIDER = CatalogRelation(
    20_003,
    "public",
    "wider",
    RelationKind.TABLE,
    (
        Column(
            1,
            "d",
            3802,
            EMAIL,
            derived=True,
            document=Document((*DOCUMENT.members, (("unseen",), CLEAR))),
        ),
    ),
)
CATALOG = Catalog([TABLE])


def carries(text: str, catalog: Catalog = CATALOG) -> str:
    ((outputs, _),) = result_outputs(text, Scope(catalog, ("public",)), {})
    assert outputs.columns is not None
    ((_, carried),) = outputs.columns
    if carried.clean:
        return "shown"
    return "masked" if carried.derived else "partly"


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("select d->>'email' from t", "partly"),
        ("select x.d->>'email' from t x", "partly"),
        ("select d->'user'->>'mail' from t", "partly"),
        ("select (d::json)->>'email' from t", "partly"),
        ("select s.e->>'email' from (select d e from t) s", "partly"),
        ("with c as (select d from t) select d->>'theme' from c", "shown"),
        ("select d->>'theme' from t", "shown"),
        ("select d->'lines'->0->>'sku' from t", "shown"),
        ("select d->'lines' from t", "masked"),
        ("select d->'user'->>'plan' from t", "shown"),
        ("select upper(d->>'theme') from t", "shown"),
        ("select d->'user' from t", "masked"),
        ("select upper(d->>'email') from t", "masked"),
        ("select d->>'unseen' from t", "masked"),
        ("select d->>('the' || 'me') from t", "masked"),
        ("select d->>note from t", "masked"),
        ("select d->>$1 from t", "masked"),
        ("select d #>> '{theme}' from t", "masked"),
        ("select jsonb_pretty(d) from t", "masked"),
        ("select d from t", "masked"),
        ("select d::text from t", "masked"),
        ("select to_jsonb(t) from t", "masked"),
        ("select (d || '{}')->>'theme' from t", "masked"),
        ("select coalesce(d, '{}')->>'theme' from t", "masked"),
        ("select operator(public.->>)(d, 'theme') from t", "masked"),
        (
            "update t set d = jsonb_build_object('theme', d->'email') returning d->>'theme'",
            "masked",
        ),
        ("update t set d = d || '{\"theme\": \"x\"}' returning d->>'theme'", "shown"),
    ],
)
def test_members(query: str, what: str) -> None:
    if "operator(" in query:
        query = "select d operator(public.->>) 'theme' from t"
    assert carries(query) == what


def test_a_users_operator_of_that_sign_is_not_trusted() -> None:
    own = Catalog([TABLE], behaviour=Behaviour(operators={"->>": (1,)}))
    assert carries("select d->>'theme' from t", own) == "masked"


def test_a_namesake_without_that_document_is_not_trusted() -> None:
    other = CatalogRelation(
        20_001,
        "other",
        "t",
        RelationKind.TABLE,
        (Column(1, "d", 3802, frozenset({DataClass.PHONE})),),
    )
    assert carries("select d->>'theme' from t", Catalog([TABLE, other])) == "masked"


@pytest.mark.parametrize(
    "text",
    [
        "update t set d = jsonb_build_object('theme', d->>'email')",
        "update t set d = jsonb_set(d, '{theme}', d->'email')",
        "update t set d = d || jsonb_build_object('theme', d->'email')",
        "update t set d = jsonb_build_object('lines', d)",
        "update t set d = evil.jsonb_set(d, '{theme}', '1')",
        "update t set d = o.d || '{}' from t o where o.id = t.id",
        "insert into t (d) select jsonb_build_object('theme', d->'email') from t",
        "insert into t (d) values ($1) on conflict (id) do update set d = jsonb_build_array(excluded.d)",
        "insert into t (d) select d from t on conflict (id) do update set d = excluded.e || t.d",
        "insert into archive (d) select d from t",
        "insert into wider (d) select d from t",
        "insert into t (d) select jsonb_build_object('theme', d) from t",
        "update t set d = coalesce(d, jsonb_build_object('theme', d->'email'))",
        "update t set d = '{}' || jsonb_build_object('theme', d)",
        "update t set note = d->>'email'",
        "update t set note = d->>'unseen'",
    ],
)
def test_a_protected_member_cannot_be_moved_into_one_that_is_shown(text: str) -> None:
    catalog = Catalog([TABLE, ARCHIVE, WIDER], functions=["jsonb_set"] if "evil" in text else [])
    assert hidden_flow(text, catalog)


@pytest.mark.parametrize(
    "text",
    [
        'update t set d = \'{"email": "a@example.com"}\'',
        'update t set d = d || \'{"theme": "dark"}\'',
        "update t set d = t.d - 'theme'",
        "update t set d = jsonb_set(jsonb_set(d, '{theme}', '1'), '{email}', $1)",
        "update t set d = jsonb_set(d, '{theme}', to_jsonb(note))",
        "insert into t (d) values ($1)",
        "insert into t (d) values ($1) on conflict (id) do update set d = excluded.d",
        "insert into t (d) values ($1) on conflict (id) do update set d = coalesce(t.d, '{}') || excluded.d",
        "insert into t (d) select d from t where id > 7",
        "update t set note = d->>'theme'",
    ],
)
def test_documents_can_be_written_and_edited(text: str) -> None:
    assert hidden_flow(text, CATALOG) == ""
