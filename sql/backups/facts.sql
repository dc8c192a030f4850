-- Which schema do our tables belong in, do they exist yet, and is Citus installed?
select
    current_schema() as schema,
    to_regclass('migrations') is not null as migrated,
    exists (select 1 from pg_extension where extname = 'citus') as citus
