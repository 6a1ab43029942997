"""Functions that matter to lineage, by what their result tells of their arguments."""

from __future__ import annotations

from typing import Final

BLIND: Final = frozenset(
    {"count", "pg_typeof", "pg_column_size", "num_nulls", "num_nonnulls", "grouping"}
)
"""The result says nothing of the arguments' values."""

PASSING: Final = frozenset(
    {"min", "max", "any_value", "first_value", "last_value", "nth_value", "lag", "lead"}
)
"""The result is one of the first argument's values, unchanged."""

COUNTING: Final = frozenset({"generate_series"})
"""How many rows they give is a value of their arguments."""

OPEN: Final = frozenset(
    {
        "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml",
        "cursor_to_xmlschema", "table_to_xml", "table_to_xml_and_xmlschema", "schema_to_xml",
        "schema_to_xml_and_xmlschema", "database_to_xml", "database_to_xml_and_xmlschema", "ts_stat",
        "ts_rewrite", "lo_get", "loread", "lo_export", "pg_read_file", "pg_read_binary_file",
        "pg_logical_slot_get_changes", "pg_logical_slot_peek_changes",
        "pg_logical_slot_get_binary_changes", "pg_logical_slot_peek_binary_changes",
        "pg_mcv_list_items", "dblink", "dblink_fetch", "dblink_get_result", "crosstab", "connectby",
        "xpath_table", "get_raw_page", "heap_page_items", "heap_page_item_attrs", "bt_page_items",
        "bt_multi_page_stats", "tuple_data_split", "currtid2",
    }
)  # fmt: skip
"""The result may hold anything: these run SQL given as text, or read tables, files and pages raw."""

SETTINGS: Final = frozenset({"current_setting"})
"""A setting with a dot in its name may hold what the session put there."""

SENSITIVE_SYSTEM: Final = frozenset(
    {
        "pg_statistic", "pg_stats", "pg_stats_ext", "pg_stats_ext_exprs", "pg_statistic_ext_data",
        "pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_subscription",
        "pg_largeobject",
    }
)  # fmt: skip
"""Relations of the system with samples of values or with credentials."""

SENSITIVE_SYSTEM_COLUMNS: Final = frozenset(
    {
        "most_common_vals", "most_common_elems", "histogram_bounds", "most_common_val_nulls",
        "most_common_base_freqs", "range_bounds_histogram", "range_length_histogram", "stavalues1",
        "stavalues2", "stavalues3", "stavalues4", "stavalues5", "stxdmcv", "stxdexpr", "rolpassword",
        "passwd", "umoptions", "subconninfo", "data",
    }
)  # fmt: skip
"""Their columns that hold such."""
