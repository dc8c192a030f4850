-- How many bytes has each table on disk without its indexes, and each index of events?
-- A partitioned table or index is the sum of its parts; what has 64 KiB at most is left out.
select root::text as name, sum(size)::bigint as bytes
from (
    select
        coalesce(pg_partition_root(oid), oid)::regclass as root,
        case when relkind = 'i' then pg_relation_size(oid) else pg_table_size(oid) end as size
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
) parts
group by root
having sum(size) > 65536
order by bytes desc
