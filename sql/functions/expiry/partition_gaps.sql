-- Which time ranges does no partition cover? None if a partition's bounds are not times, as it may then cover any.
create or replace function partition_gaps(out starts timestamptz[], out ends timestamptz[])
language plpgsql
as $$
begin
    select array_agg(g.gap_starts order by g.gap_starts), array_agg(g.gap_ends order by g.gap_starts)
    into starts, ends
    from (
        select coalesce(lag(p.ends) over (order by p.starts), '-infinity') as gap_starts, p.starts as gap_ends
        from event_partitions p
        union all
        select coalesce(max(p.ends), '-infinity'), 'infinity'
        from event_partitions p
    ) g
    where g.gap_starts < g.gap_ends
        and not exists (select 1 from event_partitions p where p.starts is null or p.ends is null);
end
$$;
