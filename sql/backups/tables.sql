-- The tables and views of our schema; a partition goes by the name of what it is a part of.
select distinct coalesce(root.relname, c.relname)::text as name
from pg_class c
left join pg_class root on c.relispartition and root.oid = pg_partition_root(c.oid)
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by name
