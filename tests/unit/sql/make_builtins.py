"""Makes dbgate_core/sql/builtins.py from a server's pg_proc: `python -m tests.unit.sql.make_builtins DSN`.

Immutable and stable functions of pg_catalog that can be called from SQL (none takes `internal`)
are taken as harmless, minus what `functions.danger_of` names; volatile ones and those of later
versions only when reviewed here, one by one.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import psycopg

from dbgate_core.sql import functions

QUERY = """
SELECT DISTINCT proname::text FROM pg_catalog.pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile IN ('i', 's') AND prokind <> 'p'
  AND NOT 'internal'::regtype = ANY (proargtypes::oid[])
  AND prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype,
                         'language_handler'::regtype, 'fdw_handler'::regtype,
                         'index_am_handler'::regtype, 'table_am_handler'::regtype)
UNION SELECT DISTINCT proname::text FROM pg_catalog.pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('a', 'w') ORDER BY 1
"""
VOLATILE = """
    bernoulli system clock_timestamp current_query currval lastval gen_random_uuid random setseed
    timeofday txid_status pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
    pg_blocking_pids pg_collation_actual_version pg_control_checkpoint pg_control_init
    pg_control_recovery pg_control_system pg_current_wal_flush_lsn pg_current_wal_insert_lsn
    pg_current_wal_lsn pg_database_collation_actual_version pg_database_size pg_export_snapshot
    pg_get_multixact_members pg_get_wal_replay_pause_state pg_get_wal_resource_managers
    pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused pg_isolation_test_session_is_blocked
    pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage pg_partition_ancestors
    pg_partition_tree pg_prepared_xact pg_relation_size pg_safe_snapshot_blocking_pids
    pg_sequence_last_value pg_stat_clear_snapshot pg_stat_force_next_flush
    pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
    pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
    pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted
    pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated
    pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_returned
    pg_stat_get_xact_tuples_updated pg_stat_have_stats pg_table_size pg_tablespace_size
    pg_total_relation_size pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status
    pg_show_replication_origin_status
"""
# PostgreSQL 16 to 18, from their release notes.
LATER = """
    any_value array_sample array_shuffle date_add date_subtract erf erfc pg_input_is_valid
    pg_input_error_info random_normal system_user to_bin to_oct json_arrayagg json_objectagg
    pg_basetype to_regtypemod unicode_assigned unicode_version icu_unicode_version uuid_extract_timestamp
    uuid_extract_version xmltext pg_stat_get_io pg_stat_get_checkpointer_num_timed pg_get_wait_events
    pg_column_toast_chunk_id pg_available_wal_summaries pg_get_wal_summarizer_state
    array_reverse array_sort casefold crc32 crc32c gamma lgamma uuidv4 uuidv7 pg_get_acl
    pg_get_loaded_modules pg_get_sequence_data pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_backend_subxact
    pg_stat_get_xact_tuples_newpage_updated pg_stat_get_tuples_newpage_updated
    pg_stat_get_lastscan json_scalar json_serialize json_exists json_query json_value json_table
    has_largeobject_privilege bit_count range_agg range_intersect_agg
    any_value_transfn json_agg_strict json_object_agg_strict json_object_agg_unique
    json_object_agg_unique_strict jsonb_agg_strict jsonb_object_agg_strict jsonb_object_agg_unique
    jsonb_object_agg_unique_strict jsonb_populate_record_valid pg_split_walfile_name
    pg_stat_get_db_conflict_logicalslot pg_stat_get_checkpointer_buffers_written
    pg_stat_get_checkpointer_num_performed pg_stat_get_checkpointer_num_requested
    pg_stat_get_checkpointer_restartpoints_performed
    pg_stat_get_checkpointer_restartpoints_requested
    pg_stat_get_checkpointer_restartpoints_timed pg_stat_get_checkpointer_slru_written
    pg_stat_get_checkpointer_stat_reset_time pg_stat_get_checkpointer_sync_time
    pg_stat_get_checkpointer_write_time pg_stat_get_db_parallel_workers_launched
    pg_stat_get_db_parallel_workers_to_launch pg_stat_get_total_analyze_time
    pg_stat_get_total_autoanalyze_time pg_stat_get_total_autovacuum_time
    pg_stat_get_total_vacuum_time pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone
    pg_numa_available bytea bytea_larger bytea_smaller record_larger record_smaller
    gist_translate_cmptype_common hashbool hashboolextended hashbytea hashbyteaextended hashcid
    hashcidextended hashdate hashdateextended hashxid hashxid8 hashxid8extended hashxidextended
    timestamptz_hash timestamptz_hash_extended
"""
# Of PostgreSQL 13 and 14, gone since; their `timezone` is marked volatile.
EARLIER = "close_lb close_sl dist_bl dist_lb numeric_fac path_center timezone"
REFUSED = "pg_backup_start_time"
"""Stable, and not taken as harmless all the same."""
HEAD = '''"""Functions of pg_catalog that reach nothing outside: data, made by tests/unit/sql/make_builtins.py."""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
'''
TAIL = '''
"""
HARMLESS: Final = frozenset(_NAMES.split())
'''


def main(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        names = {row[0] for row in connection.execute(QUERY)}
    reviewed = set((VOLATILE + LATER + EARLIER).split())
    never = {name for name in names if named(name)}
    kept = sorted((names - never - set(REFUSED.split())) | reviewed)
    body = textwrap.fill(" ".join(kept), 99, initial_indent="    ", subsequent_indent="    ",
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
    Path(sys.argv[2]).write_text(HEAD + body + TAIL)


def named(name: str) -> bool:
    group = functions.danger_of(name)
    return group is not None and group[1] != "not on the list of harmless functions"


if __name__ == "__main__":
    main(sys.argv[1])
