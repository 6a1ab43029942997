"""What is in a database, part by part, cheaply: two states differ in the parts that something changed.

A relation counts as its number of rows and the newest transaction that wrote one, so any insert, update
or delete is seen, in tables as in catalogs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

State = dict[str, str]

READ: Final = "select part, value from watch.state()"
MADE: Final = """
create schema watch;
grant usage on schema watch to public;
create function watch.state(out part text, out value text) returns setof record
language plpgsql security definer set search_path = pg_catalog as $$
declare it record;
begin
  for it in
    select n.nspname, c.relname, c.relkind,
      case when n.nspname in ('pg_catalog', 'public') then c.relname::text
        else n.nspname || '.' || c.relname end as shown
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'S') and n.nspname not in ('information_schema', 'watch', 'pg_toast')
      and n.nspname not like 'pg\\_temp%'
    order by 4
  loop
    part := it.shown;
    if it.relkind = 'S' then
      execute format('select last_value || '' '' || is_called from %I.%I', it.nspname, it.relname)
        into value;
    else
      execute format('select count(*) || '' '' || coalesce(max(xmin::text::bigint), 0) from only %I.%I',
        it.nspname, it.relname) into value;
    end if;
    return next;
  end loop;
  return query select 'prepared', count(*)::text from pg_prepared_xacts;
  return query select 'advisory', count(*)::text from pg_locks where locktype = 'advisory';
  return query select 'settings files', md5(string_agg(name || setting, ',')) from pg_file_settings;
  return query select 'victim', count(*)::text from pg_stat_activity where application_name = 'victim';
  return query select 'files', coalesce(string_agg(f || s.size, ',' order by f), '')
    from pg_ls_dir(current_setting('data_directory') || '/../scratch') f,
      lateral pg_stat_file(current_setting('data_directory') || '/../scratch/' || f) s;
end $$;
"""


def changed(before: State, after: State) -> set[str]:
    """The parts that differ."""
    return {part for part in before.keys() | after.keys() if before.get(part) != after.get(part)}


def state_of(rows: Iterable[Iterable[object]]) -> State:
    """The state that rows of `READ` tell."""
    return {str(part): str(value) for part, value in rows}
