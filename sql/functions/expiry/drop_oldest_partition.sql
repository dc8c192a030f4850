-- Drop the oldest partition of events; returns its name, or null if it may not be dropped. It may be dropped if it ends
-- by `moment` and all of these are known to be true: its expiry was announced at least five minutes ago; every site
-- knows the announcement; every site has the partition's events in its deferred rollups. If there is no site at all,
-- only an empty partition is dropped.
--
-- Fails if others hold a lock on it for longer than lock_timeout; call it again.
create or replace function drop_oldest_partition(moment timestamptz, present timestamptz) returns text
language plpgsql
set lock_timeout = '2s'
as $$
declare
    bound     timestamptz;
    part      text;
    part_ends timestamptz;
    all_sites bigint;
    done      bigint;
    is_empty  boolean;
begin
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    select k.events_from into bound from kept_events k where k.said_at <= present - interval '5 minutes';
    -- Lock in the same order as writers: sites, then partitions, then events.
    perform tell_sites_what_is_kept();
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    select p.name, p.ends into part, part_ends
    from event_partitions p
    where p.ends <= bound and p.ends <= moment -- no row if one of them is null
    order by p.ends
    limit 1;
    if part is null then
        return null;
    end if;
    select d.all_sites, d.done into all_sites, done from sites_done_with(bound, part_ends) d;
    if all_sites = 0 then
        execute format('select not exists (select 1 from %I)', part) into is_empty;
    end if;
    if (all_sites > 0 and done = all_sites or is_empty) is not true then
        return null;
    end if;

    -- Keep first_seen of the users whose first event is in it: reports tell new users from returning ones by it.
    execute format('lock table %I in share row exclusive mode', part);
    execute format(
        'update users u set first_seen = e.first_seen from ('
        ' select site_id, user_id, min(event_time) as first_seen from %I where user_id is not null group by site_id, user_id'
        ') e where u.site_id = e.site_id and u.user_id = e.user_id and u.first_seen > e.first_seen',
        part
    );
    execute format('drop table %I', part);
    update kept_events set dropped_until = greatest(coalesce(dropped_until, '-infinity'), part_ends);
    -- Check again, now that no writer holds events: a new site may have stored events in it since.
    select d.all_sites, d.done into all_sites, done from sites_done_with(bound, part_ends) d;
    if done < all_sites then
        raise lock_not_available using message = format('a new site has events in %s', part);
    end if;
    return part;
end
$$;
