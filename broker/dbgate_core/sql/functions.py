"""What a call of a function reaches: nothing outside (an allow-list), a named danger, or code.

The allow-list is data (`builtins`), made from pg_proc and reviewed. A name that stands in no list
is a call that policy must allow; one that PostgreSQL keeps to itself (`pg_...`) is a danger.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from dbgate_core.sql.builtins import HARMLESS
from dbgate_core.sql.effects import Action, Danger, Effect

SEQUENCE_WRITERS: Final = frozenset({"nextval", "setval"})
SET_CONFIG: Final = "set_config"
NOTIFY: Final = "pg_notify"

_NAMES: Final[dict[tuple[Danger, str], str]] = {
    (Danger.SERVER_FILE, "server file"): """
        pg_stat_file pg_current_logfile pg_logdir_ls pg_logfile_rotate pg_rotate_logfile
        pg_rotate_logfile_old pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup
        lo_import lo_export pg_relation_filepath_read""",
    (Danger.LARGE_OBJECT, "large object"): "loread lowrite",
    (Danger.OTHER_SESSION, "another session"): """
        pg_terminate_backend pg_cancel_backend pg_log_backend_memory_contexts
        pg_log_standby_snapshot""",
    (Danger.OTHER_SESSION, "the whole server"): """
        pg_reload_conf pg_promote pg_switch_wal pg_create_restore_point pg_wal_replay_pause
        pg_wal_replay_resume pg_drop_replication_slot pg_replication_slot_advance
        pg_sync_replication_slots""",
    (Danger.SECRET, "secrets of the server"): """
        pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_mcv_list_items
        pg_config get_raw_page heap_page_items heap_page_item_attrs tuple_data_split
        bt_page_items bt_multi_page_stats page_header fsm_page_contents gin_leafpage_items
        brin_page_items gist_page_items gist_page_items_bytea hash_page_items""",
    (Danger.RESOURCE, "sleeps"): "pg_sleep pg_sleep_for pg_sleep_until",
    (Danger.RESOURCE, "keeps what the server would remove"): """
        pg_create_logical_replication_slot pg_create_physical_replication_slot
        pg_copy_logical_replication_slot pg_copy_physical_replication_slot""",
    (Danger.CODE, "runs SQL given as text"): """
        query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml
        cursor_to_xmlschema table_to_xml table_to_xmlschema table_to_xml_and_xmlschema
        schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema database_to_xml
        database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite crosstab
        crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table exec_sql""",
    (Danger.CODE, "internal"): """
        currtid2 amvalidate plpgsql_call_handler plpgsql_inline_handler plpgsql_validator
        fmgr_internal_validator fmgr_c_validator fmgr_sql_validator dsnowball_init
        dsnowball_lexize unique_key_recheck brin_summarize_new_values brin_summarize_range
        brin_desummarize_range gin_clean_pending_list heap_tableam_handler
        suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column""",
}  # fmt: skip

_PREFIXES: Final[tuple[tuple[str, Danger, str], ...]] = (
    ("pg_read_", Danger.SERVER_FILE, "server file"),
    ("pg_ls_", Danger.SERVER_FILE, "server file"),
    ("pg_file_", Danger.SERVER_FILE, "server file"),
    ("lo_", Danger.LARGE_OBJECT, "large object"),
    ("dblink", Danger.NETWORK, "another database"),
    ("postgres_fdw_", Danger.NETWORK, "another database"),
    ("http_", Danger.NETWORK, "another host"),
    ("pg_advisory_xact_", Danger.OTHER_SESSION, "advisory xact lock"),
    ("pg_try_advisory_xact_", Danger.OTHER_SESSION, "advisory xact lock"),
    ("pg_advisory_", Danger.OTHER_SESSION, "advisory lock"),
    ("pg_try_advisory_", Danger.OTHER_SESSION, "advisory lock"),
    ("pg_stat_reset", Danger.OTHER_SESSION, "the whole server"),
    ("pg_stat_statements_reset", Danger.OTHER_SESSION, "the whole server"),
    ("pg_replication_origin_", Danger.OTHER_SESSION, "replication"),
    ("pg_logical_slot_", Danger.SECRET, "replication"),
    ("pg_logical_emit_", Danger.CODE, "replication"),
    ("binary_upgrade_", Danger.CODE, "internal"),
    ("ri_fkey_", Danger.CODE, "internal"),
    ("pg_", Danger.CODE, "not on the list of harmless functions"),
)

_DANGEROUS: Final = {name: group for group, names in _NAMES.items() for name in names.split()}

_EXTENSION_NAMES: Final = """
    digest hmac crypt gen_salt gen_random_bytes encrypt decrypt encrypt_iv decrypt_iv armor
    dearmor pgp_sym_encrypt pgp_sym_decrypt pgp_pub_encrypt pgp_pub_decrypt pgp_key_id
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5
    uuid_nil uuid_ns_dns uuid_ns_url uuid_ns_oid uuid_ns_x500 similarity show_trgm
    word_similarity strict_word_similarity unaccent levenshtein levenshtein_less_equal soundex
    difference metaphone dmetaphone dmetaphone_alt hstore akeys avals skeys svals
    hstore_to_json hstore_to_jsonb slice exist defined cosine_distance l2_distance l1_distance
    inner_product vector_dims vector_norm earth_distance ll_to_earth earth_box cube subpath
    nlevel lca ltree2text text2ltree
"""
EXTENSIONS: Final = frozenset(_EXTENSION_NAMES.split())
"""Functions of extensions that compute from their arguments alone (the catalog's pure extensions)."""
_EXTENSION_PREFIX: Final = "st_"


_ONE_ARGUMENT: Final = """
    pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file lo_import lo_unlink lo_get
    lo_create lo_creat lo_close lo_tell lo_tell64 dblink dblink_exec dblink_connect dblink_open
    dblink_fetch pg_terminate_backend pg_cancel_backend pg_sleep pg_sleep_for pg_sleep_until
    pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_advisory_xact_lock
    pg_try_advisory_xact_lock pg_create_restore_point pg_drop_replication_slot
    pg_log_backend_memory_contexts pg_mcv_list_items pg_current_logfile ts_stat nextval
    http_get http_head http_delete pg_stat_reset_single_table_counters pg_stat_reset_shared
    pg_stat_reset_slru pg_create_physical_replication_slot pg_replication_origin_create
    pg_replication_origin_drop pg_replication_origin_session_setup pg_import_system_collations
"""
ATTRIBUTE_CALLS: Final = frozenset(_ONE_ARGUMENT.split())
"""Functions of one argument: `(value).name` calls them."""


def call_effect(path: tuple[str, ...], shadowing: Set[str], known: bool) -> Effect | None:
    """The effect of calling the function that a statement names; None for a harmless built-in.

    `shadowing` are the names of functions outside pg_catalog, which an unqualified name may mean as
    well. `known` says that they are all there (a catalog was read).
    """
    name, schema = path[-1], path[-2] if len(path) > 1 else ""
    if name in HARMLESS and (
        schema == "pg_catalog" or (not schema and name not in shadowing)
    ):  # fmt: skip
        return None
    if danger := danger_of(name):
        if danger[1] != _PREFIXES[-1][2] or schema == "pg_catalog" or name not in shadowing:
            return Effect(
                Action.CALL, ".".join(path), "function", danger=danger[0], detail=danger[1]
            )
    elif schema == "pg_catalog":
        detail = _PREFIXES[-1][2]
        return Effect(Action.CALL, ".".join(path), "function", danger=Danger.CODE, detail=detail)
    if schema == "information_schema" and name.startswith("_pg_"):
        return None
    pure = name in EXTENSIONS or name.startswith(_EXTENSION_PREFIX)
    if known and pure and name not in shadowing:
        return None
    return Effect(Action.CALL, ".".join(path), "function")


def danger_of(name: str) -> tuple[Danger, str] | None:
    """The named group that the function belongs to, whatever its schema."""
    if found := _DANGEROUS.get(name):
        return found
    lowered = name.lower()
    return next(
        ((danger, detail) for prefix, danger, detail in _PREFIXES if lowered.startswith(prefix)),
        None,
    )
