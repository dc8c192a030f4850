-- Advance a site's user_months towards the UTC day of `target`, by about `most` events. Returns whether there is more
-- to do.
create or replace function advance_user_months(site varchar, target timestamptz, most integer, out unfinished boolean)
language plpgsql
as $$
declare
    target_day  timestamptz := date_trunc('day', target, 'UTC');
    range_start timestamptz;
    range_end   timestamptz;
begin
    select s.user_months_until into range_start from sites s where s.site_id = site for update;
    if range_start is null or range_start >= target_day then
        unfinished := false;
        return;
    end if;
    select e.event_time + interval '1 microsecond' into range_end
    from events e
    where e.site_id = site and e.event_time >= range_start and e.event_time < target_day
    order by e.event_time
    offset most - 1
    limit 1;
    unfinished := range_end < target_day is true;
    range_end := coalesce(range_end, target_day);
    perform add_to_user_months(site, range_start, range_end, '{}');
    update sites s set user_months_until = range_end where s.site_id = site;
end
$$;
