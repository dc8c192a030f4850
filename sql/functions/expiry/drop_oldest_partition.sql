-- Drop the oldest partition; returns its name, or null where it may not go. It may where it ends by `moment`, and all of
-- these are known and true: five minutes ago it was said that its events are no longer kept; every site was told; every
-- site has them in its rollups. Where there is no site at all, only an empty one may.
--
-- While others hold it for longer than a moment it fails, and can be tried again.
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
    -- In the order of all who store: sites, then partitions, then events.
    perform tell_sites_what_is_kept();
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    select p.name, p.ends into part, part_ends
    from event_partitions p
    where p.ends <= bound and p.ends <= moment -- none where one of them is null
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

    -- Who was first seen in it stays known by it: that is how reports tell newcomers from others.
    execute format('lock table %I in share row exclusive mode', part);
    execute format(
        'update users u set first_seen = e.first_seen from ('
        ' select site_id, user_id, min(event_time) as first_seen from %I where user_id is not null group by site_id, user_id'
        ') e where u.site_id = e.site_id and u.user_id = e.user_id and u.first_seen > e.first_seen',
        part
    );
    execute format('drop table %I', part);
    update kept_events set dropped_until = greatest(coalesce(dropped_until, '-infinity'), part_ends);
    -- Now that nobody else is in events: a site may have been made since, and have had events in it.
    select d.all_sites, d.done into all_sites, done from sites_done_with(bound, part_ends) d;
    if done < all_sites then
        raise lock_not_available using message = format('a new site has events in %s', part);
    end if;
    return part;
end
$$;
