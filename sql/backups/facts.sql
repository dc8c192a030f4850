-- Where our tables are, whether they are there yet, and whether Citus spreads them.
select
    current_schema() as schema,
    to_regclass('migrations') is not null as migrated,
    exists (select 1 from pg_extension where extname = 'citus') as citus
