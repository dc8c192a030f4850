-- What destroys proves first that it may. A partition is dropped only where all is known that speaks for it: that it was
-- said, and when; that each site was told; and that each site has its events in the rollups that are written later. In
-- 0011 and 0018 least() left out what was not known, and the first run dropped whatever the rollups had.
--
-- The present is a parameter throughout: what is said and done at a moment can be lived through by any clock.

-- Before this moment partitions may be gone for good; null: none was dropped. What was said beyond it can be taken back.
alter table kept_events add dropped_until timestamptz;
update kept_events set dropped_until = events_from;

-- As before (0011), for any present.
drop function make_partition(timestamptz);
create function make_partition(moment timestamptz, present timestamptz default now()) returns void
language plpgsql
set timezone = 'UTC'
as $$
declare
    grain text := case when moment < date_trunc('year', present) - interval '1 year' then 'year' else 'week' end;
    lower timestamptz := date_trunc(grain, moment);
    upper timestamptz := date_trunc(grain, moment) + ('1 ' || grain)::interval;
    kept  timestamptz;
    part  text;
begin
    if (moment >= '1970-01-01' and moment <= present + interval '60 days') is not true then
        raise check_violation using message = format('no partition is made for %s', moment);
    end if;
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    if exists (select 1 from event_partitions where starts <= moment and ends > moment) then
        return;
    end if;
    kept := (select events_from from kept_events);
    if moment < kept then
        raise check_violation
            using message = format('no partition is made for %s: events before %s are no longer kept', moment, kept);
    end if;
    -- There may be none before or after, and nothing that is no longer kept: nulls, which are left out here on purpose.
    lower := greatest(lower, kept, (select max(ends) from event_partitions where ends <= moment));
    upper := least(upper, (select min(starts) from event_partitions where starts > moment));
    part := format('events_%s_%s', to_char(lower, 'YYYYMMDD'), to_char(upper, 'YYYYMMDD'));
    -- Attached rather than made in place: that lets others write to events meanwhile.
    execute format('create table %I (like events including defaults)', part);
    execute format('alter table events attach partition %I for values from (%L) to (%L)', part, lower, upper);
end
$$;

-- Say that the events of all partitions which end by this moment are no longer kept, and take back what was said of others
-- as far as they are all there: events are to be kept for longer now.
drop function forget_events_before(timestamptz);
create function forget_events_before(moment timestamptz, present timestamptz) returns void
language plpgsql
set lock_timeout = '2s' -- for so long writers may wait for us while we wait for others
as $$
declare
    said  timestamptz;
    gone  timestamptz;
    bound timestamptz;
    site  varchar(255);
begin
    if moment is null or present is null then
        raise null_value_not_allowed using message = 'which events are to be forgotten, and when is it?';
    end if;
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    select k.events_from, k.dropped_until into said, gone from kept_events k;
    bound := greatest(
        coalesce((select max(ends) from event_partitions where ends <= moment), '-infinity'), coalesce(gone, '-infinity')
    );
    if bound > coalesce(said, '-infinity') then
        insert into kept_events (events_from, said_at)
        values (bound, present)
        on conflict (only_row) do update set events_from = excluded.events_from, said_at = excluded.said_at;
        perform tell_sites_what_is_kept();
    elsif bound < said then
        if bound = '-infinity' then
            delete from kept_events;
        else
            update kept_events set events_from = bound;
        end if;
        for site in
            select s.site_id from sites s where s.events_from = said order by s.site_id
        loop
            update sites s set events_from = nullif(bound, '-infinity') where s.site_id = site and s.events_from = said;
        end loop;
    end if;
end
$$;

-- How many sites are there, and how many of them need the events of a partition no longer? That is: were told that those
-- before `bound` are not kept, and have all before `part_ends` in their rollups.
create function sites_done_with(bound timestamptz, part_ends timestamptz, out all_sites bigint, out done bigint)
language plpgsql
as $$
begin
    select
        count(*),
        count(*) filter (
            where s.events_from >= bound and s.sessions_until >= part_ends and s.user_months_until >= part_ends
        )
    into all_sites, done
    from sites s;
end
$$;

-- Drop the oldest partition; returns its name, or null where it may not go. It may where it ends by `moment`, and all of
-- these are known and true: five minutes ago it was said that its events are no longer kept; every site was told; every
-- site has them in its rollups. Where there is no site at all, only an empty one may.
--
-- While others hold it for longer than a moment it fails, and can be tried again.
drop function drop_oldest_partition();
create function drop_oldest_partition(moment timestamptz, present timestamptz) returns text
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

-- The times that no partition holds. None where a partition has other bounds than times, since it may hold any.
create function partition_gaps(out starts timestamptz[], out ends timestamptz[])
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

-- Which events of a site are in its rollups, though the partition that held them is not there? Those that are no longer
-- kept, as was said, are not meant. Of hours that a partition holds in part, those are meant that have fewer events there.
--
-- first_day, last_day: with a day to spare at both ends; null: all. Until the end of the transaction no partition is
-- dropped.
create function lost_hours(
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

-- Say of events that are in rollups but in no partition (lost_hours) that they are no longer kept: reports that need them
-- say so then, and nothing takes their numbers off the rollups. Returns from when on events are kept; null: none are lost.
create function note_lost_events(present timestamptz default now()) returns timestamptz
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
        lost := greatest(lost, (select l.last_hour from lost_hours(site, null, null) l)); -- null: none, neither lost
    end loop;
    if lost is null then
        return null;
    end if;

    bound := lost + interval '1 hour';
    for part in
        select p.starts, p.ends from event_partitions p where p.starts > lost and p.starts <= present order by p.starts
    loop
        bound := part.starts;
        -- One that was dropped and made anew, for events that came late, lacks most of what the rollups have.
        select coalesce(sum(h.events), 0) into told
        from event_hours h
        where h.hour >= part.starts and h.hour <= part.ends - interval '1 hour';
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

-- Delete all that a site has, in the order of all who store: the site first. What stays are the counts of the ledger, which
-- say how many events were accepted and stored on a day: Redis goes on counting, and they would not balance without.
create function delete_site(site varchar) returns table (name text, deleted bigint)
language plpgsql
as $$
begin
    -- On Citus the tables do not all go by their site.
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true);
    perform 1 from sites s where s.site_id = site for update;
    if not found then
        return;
    end if;
    for name in
        select c.relname
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id' and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname not in ('settled_days', 'accepted_days')
        order by c.relname = 'sites', c.relname
    loop
        execute format('delete from %I where site_id = $1', name) using site;
        get diagnostics deleted = row_count;
        return next;
    end loop;
end
$$;

-- A database in which events were dropped without a word (0018).
do $$
begin
    perform note_lost_events();
end
$$;
