-- Declare events that are in rollups but in no partition (lost_hours) as expired: then reports that need them say so,
-- and no rebuild subtracts them from the rollups. Returns the new start of the events that have not expired; null: no
-- events are lost.
create or replace function note_lost_events(present timestamptz default now()) returns timestamptz
language plpgsql
as $$
declare
    gap_starts timestamptz[];
    gap_ends   timestamptz[];
    site       varchar(255);
    lost       timestamptz;
    bound      timestamptz;
    part       record;
    told       bigint;
    there      bigint;
begin
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    select g.starts, g.ends into gap_starts, gap_ends from partition_gaps() g;
    for site in
        select distinct h.site_id
        from event_hours h
        join unnest(gap_starts, gap_ends) g (starts, ends) on h.hour < g.ends and h.hour + interval '1 hour' > g.starts
    loop
        lost := greatest(lost, (select l.last_hour from lost_hours(site, null, null) l)); -- ignores nulls
    end loop;
    if lost is null then
        return null;
    end if;

    bound := lost + interval '1 hour';
    for part in
        select p.starts, p.ends from event_partitions p where p.starts > lost and p.starts <= present order by p.starts
    loop
        bound := part.starts;
        -- A partition that was dropped and made again for late events has few of the events in the rollups. Those that
        -- a site's own retention_days deleted are in none.
        select coalesce(sum(h.events), 0) into told
        from event_hours h
        join sites s on s.site_id = h.site_id
        where h.hour >= part.starts and h.hour <= part.ends - interval '1 hour'
            and h.hour >= coalesce(s.own_deleted_until, '-infinity');
        select count(*) into there from events e where e.event_time >= part.starts and e.event_time < part.ends;
        exit when part.ends > present or there * 2 >= told;
        bound := part.ends;
    end loop;
    insert into kept_events (events_from, said_at, dropped_until)
    values (bound, present, bound)
    on conflict (only_row) do update set
        events_from = greatest(kept_events.events_from, excluded.events_from),
        said_at = excluded.said_at,
        dropped_until = greatest(coalesce(kept_events.dropped_until, '-infinity'), excluded.dropped_until);
    perform tell_sites_what_is_kept();
    return bound;
end
$$;
