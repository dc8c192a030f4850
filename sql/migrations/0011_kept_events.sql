-- Keeping events for some time only (RETENTION_DAYS), while rollups keep their numbers. First it is said that events before
-- a moment are no longer kept; some minutes later, when whoever might still count on them has come to his end, their
-- partitions are dropped. A moment is always where a partition ends: all is dropped before it, and nothing after it.

-- One row, once anything was forgotten: from when on events are kept, and since when that is said.
create table kept_events (
    only_row    boolean primary key default true check (only_row),
    events_from timestamptz not null,
    said_at     timestamptz not null
);

-- Say of each site from when on its events are kept. One by one and in order, as writers lock them.
create function tell_sites_what_is_kept() returns void
language plpgsql
as $$
declare
    bound timestamptz := (select events_from from kept_events);
    site  varchar(255);
begin
    for site in
        select site_id
        from sites
        where coalesce(events_from, '-infinity') < bound
        order by site_id
    loop
        update sites set events_from = bound where site_id = site;
    end loop;
end
$$;

-- Say that the events of all partitions which end by this moment are no longer kept.
create function forget_events_before(moment timestamptz) returns void
language plpgsql
set lock_timeout = '2s' -- for so long writers may wait for us while we wait for others
as $$
declare
    bound timestamptz := (select max(ends) from event_partitions where ends <= moment);
begin
    if bound > coalesce((select events_from from kept_events), '-infinity') then
        insert into kept_events (events_from, said_at)
        values (bound, now())
        on conflict (only_row) do update set events_from = excluded.events_from, said_at = excluded.said_at;
        perform tell_sites_what_is_kept();
    end if;
end
$$;

-- Drop the oldest partition whose events are not kept, once that was said five minutes ago and all of them are in the
-- rollup of sessions; returns its name, or null where there is none. While others hold it for longer than a moment it
-- fails, and can be tried again.
create function drop_oldest_partition() returns text
language plpgsql
set lock_timeout = '2s'
as $$
declare
    bound timestamptz := (select events_from from kept_events where said_at <= now() - interval '5 minutes');
    part  text;
begin
    -- In the order of all who store: sites, then partitions, then events.
    perform tell_sites_what_is_kept();
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    select name into part
    from event_partitions
    where ends <= least(bound, (select min(sessions_until) from sites))
    order by ends
    limit 1;
    if part is not null then
        execute format('drop table %I', part);
        -- Now that nobody else is in events: a site may have been made since, and have had events in it.
        if exists (select from sites where coalesce(events_from, '-infinity') < bound) then
            raise lock_not_available using message = format('a new site has events in %s', part);
        end if;
    end if;
    return part;
end
$$;

-- As before (0002), but none is made for what is no longer kept: an event sent again would count again, as its first row
-- is gone.
create or replace function make_partition(moment timestamptz) returns void
language plpgsql
set timezone = 'UTC'
as $$
declare
    grain text := case when moment < date_trunc('year', now()) - interval '1 year' then 'year' else 'week' end;
    lower timestamptz := date_trunc(grain, moment);
    upper timestamptz := date_trunc(grain, moment) + ('1 ' || grain)::interval;
    kept  timestamptz;
    part  text;
begin
    if moment < '1970-01-01' or moment > now() + interval '60 days' then
        raise check_violation using message = format('no partition is made for %s', moment);
    end if;
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    if exists (select from event_partitions where starts <= moment and ends > moment) then
        return;
    end if;
    kept := (select events_from from kept_events);
    if moment < kept then
        raise check_violation
            using message = format('no partition is made for %s: events before %s are no longer kept', moment, kept);
    end if;
    lower := greatest(lower, kept, (select max(ends) from event_partitions where ends <= moment));
    upper := least(upper, (select min(starts) from event_partitions where starts > moment));
    part := format('events_%s_%s', to_char(lower, 'YYYYMMDD'), to_char(upper, 'YYYYMMDD'));
    -- Attached rather than made in place: that lets others write to events meanwhile.
    execute format('create table %I (like events including defaults)', part);
    execute format('alter table events attach partition %I for values from (%L) to (%L)', part, lower, upper);
end
$$;
