-- Which tables and views are in our schema? A partition is listed as its root table.
select distinct coalesce(root.relname, c.relname)::text as name
from pg_class c
left join pg_class root on c.relispartition and root.oid = pg_partition_root(c.oid)
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by name
