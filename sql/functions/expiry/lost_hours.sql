-- Which events of a site are in its rollups, but their partition is missing? Expired events do not count as lost. An
-- hour that a partition covers only in part counts as lost if it has fewer events than the rollup.
--
-- first_day, last_day: which days, with a day to spare at both ends; null: all. No partition is dropped until the end
-- of the transaction.
create or replace function lost_hours(
    site varchar, first_day date, last_day date,
    out hours bigint, out events bigint, out first_hour timestamptz, out last_hour timestamptz
)
language plpgsql
as $$
#variable_conflict use_column
declare
    kept_from  timestamptz;
    gap_starts timestamptz[];
    gap_ends   timestamptz[];
begin
    perform 1 from events e where e.site_id = site limit 1;
    select s.events_from into kept_from from sites s where s.site_id = site;
    select g.starts, g.ends into gap_starts, gap_ends from partition_gaps() g;
    select count(*), coalesce(sum(h.events), 0), min(h.hour), max(h.hour)
    into hours, events, first_hour, last_hour
    from (
        select e.hour, sum(e.events)::bigint as events
        from event_hours e
        where e.site_id = site and e.events > 0
            and e.hour >= coalesce(kept_from, '-infinity')
            and e.hour >= coalesce((first_day - 1)::timestamp at time zone 'UTC', '-infinity')
            and e.hour < coalesce((last_day + 2)::timestamp at time zone 'UTC', 'infinity')
        group by e.hour
    ) h
    where exists (
            select 1
            from unnest(gap_starts, gap_ends) g (starts, ends)
            where h.hour < g.ends and h.hour + interval '1 hour' > g.starts
        )
        and h.events > (
            select count(*)
            from events e
            where e.site_id = site and e.event_time >= h.hour and e.event_time < h.hour + interval '1 hour'
        );
end
$$;
