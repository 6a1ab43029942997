"""Settings that a session may change, by what a change of them can reach.

The allow-list holds what alters only how this session's statements are planned, timed or printed.
Everything else, custom settings included (row security policies read them), is a danger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dbgate_core.sql.effects import Action, Danger, Effect

HARMLESS: Final = frozenset(
    {
        # names, time, words
        "search_path", "application_name", "timezone", "datestyle", "intervalstyle",
        "client_min_messages", "lc_monetary", "lc_numeric", "lc_time", "timezone_abbreviations",
        "default_text_search_config",
        # output
        "bytea_output", "extra_float_digits", "xmlbinary", "xmloption", "quote_all_identifiers",
        # limits of time
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
        "idle_session_timeout", "transaction_timeout", "deadlock_timeout", "tcp_keepalives_idle",
        "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout",
        "client_connection_check_interval",
        # transactions
        "transaction_isolation", "transaction_read_only", "transaction_deferrable",
        "default_transaction_isolation", "default_transaction_read_only",
        "default_transaction_deferrable",
        # where and how new relations are stored
        "check_function_bodies", "default_tablespace", "default_table_access_method",
        "default_toast_compression", "temp_tablespaces",
        # planning
        "enable_async_append", "enable_bitmapscan", "enable_gathermerge", "enable_hashagg",
        "enable_hashjoin", "enable_incremental_sort", "enable_indexonlyscan", "enable_indexscan",
        "enable_material", "enable_memoize", "enable_mergejoin", "enable_nestloop",
        "enable_parallel_append", "enable_parallel_hash", "enable_partition_pruning",
        "enable_partitionwise_aggregate", "enable_partitionwise_join", "enable_presorted_aggregate",
        "enable_group_by_reordering", "enable_seqscan", "enable_sort", "enable_tidscan",
        "enable_distinct_reordering", "enable_self_join_elimination",
        "constraint_exclusion", "cpu_index_tuple_cost", "cpu_operator_cost", "cpu_tuple_cost",
        "cursor_tuple_fraction", "default_statistics_target", "effective_cache_size",
        "from_collapse_limit", "geqo", "geqo_effort", "geqo_generations", "geqo_pool_size",
        "geqo_seed", "geqo_selection_bias", "geqo_threshold", "jit", "jit_above_cost",
        "jit_inline_above_cost", "jit_optimize_above_cost", "join_collapse_limit",
        "max_parallel_workers_per_gather", "min_parallel_index_scan_size",
        "min_parallel_table_scan_size", "parallel_leader_participation", "parallel_setup_cost",
        "parallel_tuple_cost", "plan_cache_mode", "random_page_cost", "recursive_worktable_factor",
        "seq_page_cost", "stats_fetch_consistency", "synchronize_seqscans", "work_mem",
        "hash_mem_multiplier", "temp_buffers", "maintenance_work_mem", "gin_fuzzy_search_limit",
        # `off` raises an error where rows would be filtered, `on` is the default: neither shows more
        "row_security",
        # forbids reading views and foreign tables; only ever narrows
        "restrict_nonsystem_relation_kind",
    }
)  # fmt: skip

IDENTITY: Final = frozenset({"role", "session_authorization"})

LEXING: Final = {
    "standard_conforming_strings": frozenset({"on", "true", "yes", "1"}),
    "client_encoding": frozenset({"utf8", "unicode"}),
    "backslash_quote": frozenset({"safeencoding"}),
    "escape_string_warning": frozenset({"on", "true", "yes", "1"}),
}
"""Settings on which the meaning of later text hangs, with the values under which it is judged."""

SEARCH_PATH: Final = "search_path"


def setting_effect(
    name: str | None, values: Sequence[str] | None, verb: str = "", local: bool = False
) -> Effect:
    """The effect of giving a setting a value.

    `name` is None, and `values` is None, when the text does not tell: a computed argument, or a
    return to the default. `verb` is `reset` for the latter.
    """
    detail = " ".join(word for word in ("local" if local else "", verb) if word)
    if name is None:
        return Effect(Action.SET, kind="setting", danger=Danger.SETTING, detail="unknown name")
    name = name.lower()
    if name in IDENTITY:
        return Effect(Action.SET, name, "setting", danger=Danger.SESSION_IDENTITY, detail=detail)
    if name in LEXING and not _same_lexing(name, values):
        return Effect(Action.SET, name, "setting", danger=Danger.SETTING, detail="lexing")
    if name in HARMLESS or name in LEXING:
        return Effect(Action.SET, name, "setting", detail=detail)
    detail = "custom" if "." in name else detail
    return Effect(Action.SET, name, "setting", danger=Danger.SETTING, detail=detail)


def _same_lexing(name: str, values: Sequence[str] | None) -> bool:
    """Does the value leave the lexing as it is. PostgreSQL reads encodings by letters and digits."""
    if values is None or len(values) != 1:
        return False
    value = "".join(letter for letter in values[0].lower() if letter.isalnum())
    return value in LEXING[name]
