-- Advance a site's sessions towards `target`, by about `most` events. Returns whether there is more to do.
create or replace function advance_sessions(site varchar, target timestamptz, most integer, out unfinished boolean)
language plpgsql
as $$
declare
    range_start timestamptz;
    range_end timestamptz;
begin
    select s.sessions_until into range_start from sites s where s.site_id = site for update;
    if range_start is null or range_start >= target then
        unfinished := false;
        return;
    end if;
    select e.event_time + interval '1 microsecond' into range_end
    from events e
    where e.site_id = site and e.event_time >= range_start and e.event_time < target
    order by e.event_time
    offset most - 1
    limit 1;
    unfinished := range_end < target is true;
    range_end := coalesce(range_end, target);
    perform add_to_sessions(site, range_start, range_end, '{}');
    update sites s set sessions_until = range_end where s.site_id = site;
end
$$;
