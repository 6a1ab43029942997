"""The walk over a statement's parse tree: what is met, in which scope, and what was found.

An allow-list over node kinds: a kind that has a handler is handled, one in `PLAIN` is an expression
or a clause whose parts are looked at, and any other is an `unknown` effect. The walk keeps its own
stack, so a deep tree costs memory and no recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from dbgate_core.behaviour import Behaviour, Hook
from dbgate_core.catalog import Catalog, CatalogRelation, RelationKind
from dbgate_core.sql.effects import Action, Danger, Effect, Predicate, Relation
from dbgate_core.sql.functions import call_effect
from dbgate_core.sql.reach import touched
from dbgate_core.sql.searches import Search
from dbgate_core.sql.system import (
    READ_SECRETS,
    SECRET_COLUMNS,
    SYSTEM_RELATIONS,
    write_danger,
)
from dbgate_core.sql.tree import Node

Scope: TypeAlias = "Mapping[str, Node] | None"
"""The WITH queries in reach, by name; None in a definition, whose relations are not read."""
Handler: TypeAlias = "Callable[[Walk, Node, Scope], None]"

NO_CTES: Final[Mapping[str, Node]] = {}
MAX_EFFECTS: Final = 2_000
"""A statement with more distinct effects is judged by these and an `unknown`."""

LEAVES: Final = frozenset(
    {
        "a_const", "string", "integer", "float", "boolean", "bit_string", "param_ref", "a_star",
        "type_name", "role_spec", "access_priv", "alias", "set_to_default", "sqlvalue_function",
        "current_of_expr", "object_with_args", "trigger_transition", "int_list", "oid_list",
        "atalter_constraint", "ctecycle_clause", "replica_identity_stmt", "ctesearch_clause", "returning_option", "merge_support_func",
    }
)  # fmt: skip
"""Kinds that hold nothing that runs. A cast's type runs its input function, which is harmless."""

PLAIN: Final = frozenset(
    {
        "a_array_expr", "a_expr", "a_indices", "bool_expr", "boolean_test", "case_expr", "case_when",
        "coalesce_expr", "collate_clause", "column_def", "constraint", "create_op_class_item",
        "def_elem", "function_parameter", "grouping_func", "grouping_set", "index_elem",
        "infer_clause", "join_expr", "json_agg_constructor", "json_argument",
        "json_array_agg", "json_array_constructor", "json_array_query_constructor", "json_behavior",
        "json_func_expr", "json_is_predicate", "json_key_value", "json_object_agg",
        "json_object_constructor", "json_output", "json_parse_expr", "json_returning",
        "json_scalar_expr", "json_serialize_expr", "json_table", "json_table_column",
        "json_table_path_spec", "json_value_expr", "json_format", "list", "merge_when_clause",
        "min_max_expr", "multi_assign_ref", "named_arg_expr", "null_test", "on_conflict_clause",
        "partition_bound_spec", "partition_cmd", "partition_elem", "partition_range_datum",
        "partition_spec", "publication_obj_spec", "publication_table", "range_function",
        "range_subselect", "range_table_func", "range_table_func_col", "res_target",
        "returning_clause", "row_expr", "sort_by", "stats_elem", "sub_link", "table_like_clause",
        "type_cast", "window_def", "xml_expr", "xml_serialize", "return_stmt",
    }
)  # fmt: skip
"""Kinds that are no more than their parts."""

_KINDS: Final = {
    RelationKind.TABLE: "table",
    RelationKind.PARTITIONED: "table",
    RelationKind.VIEW: "view",
    RelationKind.MATVIEW: "materialized view",
    RelationKind.FOREIGN: "foreign table",
    RelationKind.SEQUENCE: "sequence",
    RelationKind.OTHER: "table",
}
_SKIPPED_MESSAGES: Final = frozenset({"TypeName", "Alias", "RoleSpec", "ObjectWithArgs"})
_BUILT_IN_SCHEMAS: Final = frozenset({"", "pg_catalog", "information_schema"})

_NOTHING: Final = "nothing"
_NODE: Final = "node"
_NODES: Final = "nodes"
_MESSAGE: Final = "message"
_MESSAGES: Final = "messages"
_AS_NODES: Final = {"SelectStmt": "select_stmt", "RangeVar": "range_var", "FuncCall": "func_call"}
_WAYS: Final[dict[Any, str]] = {}
"""How a field is looked at, by its descriptor; filled as fields are met, for descriptors are few."""


def _way(field: Any) -> str:  # Any: a descriptor of the protobuf library
    """One of the ways above, or the kind of node that the field's message is."""
    if field.message_type is None or field.message_type.name in _SKIPPED_MESSAGES:
        return _NOTHING
    name = field.message_type.name
    if name == "Node":
        return _NODES if field.is_repeated else _NODE
    return _AS_NODES.get(name, _MESSAGES if field.is_repeated else _MESSAGE)


class Walk:
    """One pass over one statement. Internal: `analyse` makes values of what it gathered."""

    __slots__ = (
        "behind",
        "catalog",
        "changes",
        "changes_schema",
        "columns",
        "created",
        "defines",
        "effects",
        "functions",
        "handlers",
        "has_operators",
        "hooks",
        "incomplete",
        "known_columns",
        "moves_names",
        "portals",
        "reads",
        "routines",
        "search_path",
        "searches",
        "secret_reads",
        "sets_search_path",
        "settled",
        "shadowing",
        "stars",
        "todo",
        "touched",
        "uncounted",
        "variables",
        "with_queries",
        "writes",
    )  # fmt: skip

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        catalog: Catalog | None,
        search_path: tuple[str, ...],
        created: frozenset[str] = frozenset(),
        variables: frozenset[str] = frozenset(),
        settled: bool = True,
    ) -> None:
        """`created` are functions that the same text creates: they may stand before built-ins.

        `variables` are names in a function's body that are no columns. Not `settled`: bodies may be
        others than in the catalog, for DDL has run since it was read.
        """
        self.handlers = handlers
        self.catalog = catalog
        self.search_path = search_path
        self.shadowing = (catalog.functions | created) if catalog else created
        self.has_operators = bool(catalog and catalog.behaviour.operators)
        self.created: set[str] = set(created)
        self.variables = variables
        self.settled = settled
        self.routines: set[int] = set()
        self.hooks: set[Hook] = set()
        self.touched: set[tuple[int, Action, Predicate]] = set()
        self.effects: dict[Effect, None] = {}
        self.reads: set[Relation] = set()
        self.writes: set[Relation] = set()
        self.behind: set[Relation] = set()
        self.functions: set[str] = set()
        self.columns: set[str] = set()
        self.secret_reads: dict[Relation, set[str]] = {}
        self.known_columns: dict[str, bool] = {}
        self.defines: list[str] = []
        self.with_queries = 0
        self.changes = 0
        self.uncounted = ""
        self.stars = False
        self.incomplete = False
        self.moves_names = False
        self.portals = False
        self.searches: set[Search] = set()
        self.changes_schema = False
        self.sets_search_path = False
        self.todo: list[tuple[str, Node, Scope]] = []

    def run(self, node: Node, scope: Scope = NO_CTES) -> None:
        """Walk everything below the node."""
        todo, handlers = self.todo, self.handlers
        self.push(node, scope)
        while todo:
            kind, message, scope = todo.pop()
            handler = handlers.get(kind)
            if handler is not None:
                handler(self, message, scope)
            elif kind in PLAIN:
                self.parts(message, scope)
            else:
                self.not_understood(kind)
                self.parts(message, scope)
        self._secret_columns()

    # What is met.

    def push(self, node: Node, scope: Scope) -> None:
        """Look at the node later."""
        kind = node.WhichOneof("node")
        if kind is not None and kind not in LEAVES:
            self.todo.append((kind, getattr(node, kind), scope))

    def push_all(self, nodes: Iterable[Node], scope: Scope) -> None:
        """Look at the nodes later."""
        todo = self.todo
        for node in nodes:
            kind = node.WhichOneof("node")
            if kind is not None and kind not in LEAVES:
                todo.append((kind, getattr(node, kind), scope))

    def parts(self, message: Node, scope: Scope, skip: frozenset[str] = frozenset()) -> None:
        """Look at every node that the message holds, through messages that are no nodes."""
        pending = [message]
        while pending:
            for field, value in pending.pop().ListFields():
                way = _WAYS.get(field)
                if way is None:
                    way = _WAYS[field] = _way(field)
                if way is _NOTHING or (skip and field.name in skip):
                    continue
                if way is _NODES:
                    self.push_all(value, scope)
                elif way is _NODE:
                    self.push(value, scope)
                elif way is _MESSAGES:
                    pending.extend(value)
                elif way is _MESSAGE:
                    pending.append(value)
                else:
                    self.todo.append((way, value, scope))

    # What is found.

    def add(self, effect: Effect) -> None:
        """Keep the effect, up to a bound."""
        if len(self.effects) < MAX_EFFECTS:
            self.effects[effect] = None
        else:
            self.incomplete = True
            self.effects[Effect(Action.UNKNOWN, detail="too many effects")] = None

    def not_understood(self, what: str) -> None:
        """Something that the judge does not know: never harmless."""
        self.incomplete = True
        self.add(Effect(Action.UNKNOWN, what, detail="not understood"))

    def call(self, path: tuple[str, ...]) -> None:
        """A function is called: by its body, where the catalog has one (`following`)."""
        self.functions.add(".".join(path))
        effect = call_effect(path, self.shadowing, self.catalog is not None)
        if effect is not None and (effect.danger or not self.routine(path)):
            self.add(effect)

    def routine(self, path: tuple[str, ...]) -> bool:
        """Keep the catalog's routines of that name, if any, to be followed.

        Not those of a name that the same text creates: what it creates may stand before them.
        """
        if self.catalog is None or path[-1] in self.created:
            return False
        found = [routine.oid for routine in self.catalog.behaviour.named(path)]
        self.routines.update(found)
        return bool(found)

    def operator(self, path: tuple[str, ...]) -> None:
        """An operator is used: a user's own is a call of its function."""
        if len(path) > 1 and path[0] == "pg_catalog":
            return
        found = self.catalog.behaviour.operators.get(path[-1], ()) if self.catalog else ()
        self.hooks.update(Hook(frozenset(), oid) for oid in found)
        if len(path) > 1 and not found:
            self.call(path)

    def converted(self, type_name: str) -> None:
        """A value is made one of the type: by what the catalog knows behind types of that name.

        A table's name is the type of its rows, whose values are made those of its columns.
        """
        if self.catalog is None:
            return
        behaviour = self.catalog.behaviour
        self.hooks.update(behaviour.types.get(type_name, ()))
        self._filled(behaviour, type_name)

    def filled(self, type_name: str) -> None:
        """A value of the type is read from text: no cast runs, but a domain's checks do."""
        if self.catalog is None:
            return
        behaviour = self.catalog.behaviour
        self.hooks.update(hook for hook in behaviour.types.get(type_name, ()) if hook.text)
        self._filled(behaviour, type_name)

    def _filled(self, behaviour: Behaviour, type_name: str) -> None:
        row = self.find(Relation("", type_name)) if behaviour.domains else None
        for column in row.columns if row else ():
            self.hooks.update(behaviour.domains.get(column.type_oid, ()))

    def named_function(self, path: tuple[str, ...]) -> None:
        """A definition names a function that PostgreSQL will call: an effect when it is a danger."""
        effect = call_effect(path, self.shadowing, self.catalog is not None)
        if effect is not None and effect.danger:
            self.functions.add(".".join(path))
            self.add(effect)

    def find(self, relation: Relation) -> CatalogRelation | None:
        """The catalog's relation of that name. Temporary namesakes never stand for a real one."""
        if self.catalog is None:
            return None
        places = (relation.schema,) if relation.schema else ("pg_catalog", *self.search_path)
        for place in places:
            found = self.catalog.find(place, relation.name)
            if found is not None:
                return found
        return None

    def relation(self, message: Node) -> Relation:
        """The relation that a RangeVar names, with its schema where it is known."""
        return self.named(message.schemaname, message.relname)

    def named(self, schema: str, name: str) -> Relation:
        """The relation of that name, with its schema where it is known."""
        if not schema and name in SYSTEM_RELATIONS:
            return Relation("pg_catalog", name)
        relation = Relation(schema, name)
        found = None if schema else self.find(relation)
        return Relation(found.schema, found.name) if found else relation

    def kind_of(self, relation: Relation, default: str = "table") -> str:
        """What the relation is, in the words of CREATE."""
        found = self.find(relation)
        return _KINDS[found.kind] if found else default

    def read(self, relation: Relation, detail: str = "", alias: str = "") -> None:
        """The relation is read, under that alias if any."""
        self.reads.add(relation)
        danger = Danger.NONE
        if relation.schema in _BUILT_IN_SCHEMAS:
            if relation.name in READ_SECRETS:
                danger = Danger.SECRET
            elif relation.name in SECRET_COLUMNS:
                self.secret_reads.setdefault(relation, {relation.name}).add(alias)
        kind = self.kind_of(relation)
        self.add(Effect(Action.SELECT, str(relation), kind, danger=danger, detail=detail))
        touched(self, relation, Action.SELECT)
        if kind in ("view", "materialized view"):
            self._through_view(relation, self.reads)

    def write(
        self,
        action: Action,
        relation: Relation,
        predicate: Predicate = Predicate.NONE,
        columns: Iterable[str] = (),
        detail: str = "",
    ) -> None:
        """Rows of the relation are written."""
        self.writes.add(relation)
        kind = self.kind_of(relation)
        written = frozenset(columns)
        danger = write_danger(relation)
        effect = Effect(
            action, str(relation), kind, predicate, danger, detail=detail, columns=written
        )
        if effect in self.effects:
            return
        self.add(effect)
        touched(self, relation, action, predicate, written)
        if kind == "view":
            self._through_view(relation, self.writes)
            self._updates_view(relation, effect)

    def _through_view(self, relation: Relation, into: set[Relation]) -> None:
        from dbgate_core.sql.views import under_view  # the walk of a view's text is a walk again

        under_view(self, relation, into)

    def _updates_view(self, relation: Relation, effect: Effect) -> None:
        from dbgate_core.sql.views import updated

        base = updated(self, relation, effect.columns)
        if base is not None:
            self.write(effect.action, base[0], effect.predicate, base[1], effect.detail)

    def _secret_columns(self) -> None:
        """A relation of the system with some secret columns is secret when these may be meant."""
        for relation, names in self.secret_reads.items():
            if self.stars or self.columns & (SECRET_COLUMNS[relation.name] | names):
                kind = self.kind_of(relation)
                self.add(Effect(Action.SELECT, str(relation), kind, danger=Danger.SECRET))
