-- What each user did, month by month, packed: for funnels, which would have to read every event of their range otherwise.
--
-- A rollup that is written later than the events: it has those before sites.user_months_until, which upkeep moves on day by
-- day. What is stored after that for an earlier time is added at once; a report adds the events from then on itself.
-- Months are those of UTC, as a report cuts them at any moment. They go with the events, once these are no longer kept.

-- The number of an event type of a site: the byte that stands for it below. There are 252 of them: what comes later has
-- none and is not packed.
create table event_types (
    site_id    varchar(255) collate "C",
    event_type varchar(100) collate "C",
    number     smallint not null,
    primary key (site_id, event_type)
);

create table user_months (
    site_id varchar(255) collate "C",
    month   date,                    -- its first day
    user_id varchar(255) collate "C",
    kinds   bytea not null,          -- of each event in order of time the number of its type, and
    moments timestamptz[] not null,  -- its time; those of one instant are in order of their numbers
    primary key (site_id, month, user_id),
    check (length(kinds) = cardinality(moments))
);
-- Times are hardly compressed, but would have to be decompressed each time.
alter table user_months alter moments set storage external;

alter table sites add user_months_until timestamptz not null default '-infinity';

-- The parts of what a user did one after the other, in the order in which they come. (string_agg takes a kilobyte a user.)
create aggregate concat_kinds(bytea) (
    sfunc = byteacat,
    stype = bytea,
    parallel = safe
);
create aggregate concat_moments(timestamptz[]) (
    sfunc = array_cat,
    stype = timestamptz[],
    parallel = safe
);

-- Number those of some event types of a site that have no number yet. The site is locked by the caller.
--
-- The bytes that mean something in a pattern of `like` stand for none.
create function number_event_types(site varchar, event_types varchar[]) returns void
language plpgsql
as $$
begin
    insert into event_types (site_id, event_type, number)
    select site, fresh.event_type, free.number
    from (
        select event_type, row_number() over (order by event_type) as place
        from (
            select unnest(event_types) collate "C"
            except
            select t.event_type from event_types t where t.site_id = site
        ) unknown (event_type)
    ) fresh
    join (
        select number, row_number() over (order by number) as place
        from generate_series(1, 255) number
        where number not in (ascii('%'), ascii('_'), ascii('\'))
            and number > (select coalesce(max(t.number), 0) from event_types t where t.site_id = site)
    ) free on free.place = fresh.place;
end
$$;

-- Two parts of what a user did as one.
create function joined_moments(
    inout kinds bytea, inout moments timestamptz[], more_kinds bytea, more_moments timestamptz[]
)
language plpgsql immutable parallel safe
as $$
begin
    if moments[cardinality(moments)] < more_moments[1] then
        kinds := kinds || more_kinds;
        moments := moments || more_moments;
        return;
    end if;
    select string_agg(set_byte('\x00', 0, kind), ''), array_agg(moment)
    into kinds, moments
    from (
        select get_byte(kinds, place::integer - 1) as kind, moment
        from unnest(moments) with ordinality m (moment, place)
        union all
        select get_byte(more_kinds, place::integer - 1), moment
        from unnest(more_moments) with ordinality m (moment, place)
        order by moment, kind
    ) events;
end
$$;

-- Add events of a site to what its users did: all those of a range, and some others, none of which is in it yet. The site
-- is locked by the caller.
create function add_to_user_months(site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[])
returns void
language plpgsql
as $$
#variable_conflict use_column
begin
    perform number_event_types(site, array(
        select event_type from events where site_id = site and event_time >= range_start and event_time < range_end
        union
        select event_type from unnest(others)
    ));

    insert into user_months (site_id, month, user_id, kinds, moments)
    select site, month, user_id, string_agg(set_byte('\x00', 0, number), ''), array_agg(event_time)
    from (
        select
            date_trunc('month', added.event_time at time zone 'UTC')::date as month,
            added.user_id, added.event_time, t.number
        from (
            select user_id, event_type, event_time
            from events
            where site_id = site and user_id is not null and event_time >= range_start and event_time < range_end
            union all
            select user_id, event_type, event_time
            from unnest(others)
            where user_id is not null
        ) added
        join event_types t on t.site_id = site and t.event_type = added.event_type
        order by month, user_id, event_time, number
    ) placed
    group by month, user_id
    on conflict (site_id, month, user_id) do update set
        (kinds, moments) = (
            select j.kinds, j.moments
            from joined_moments(user_months.kinds, user_months.moments, excluded.kinds, excluded.moments) j
        );
end
$$;

-- Move what a site's users did on towards the day (of UTC) that a moment is in, by about so many events at most. Returns
-- whether there is more to do.
create function advance_user_months(site varchar, target timestamptz, most integer, out unfinished boolean)
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

-- Where does what users did on these days differ from what the events say? Both sides are cut to these days. (See 0005 for
-- how these are written.)
create function different_user_months(site varchar, from_day date, to_day date)
returns table (
    user_id varchar, month date, range_start timestamptz, range_end timestamptz,
    says_kinds bytea, says_moments timestamptz[], kinds bytea, moments timestamptz[]
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end   timestamptz;
begin
    select
        greatest(from_day::timestamp at time zone s.timezone, s.events_from),
        least((to_day + 1)::timestamp at time zone s.timezone, s.user_months_until)
    into range_start, range_end
    from sites s
    where s.site_id = site;
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.month, r.month), range_start, range_end,
        s.kinds, s.moments, r.kinds, r.moments
    from (
        select
            user_id, month,
            substr(kinds, cut.before + 1, greatest(cut.upto - cut.before, 0)) as kinds,
            moments[cut.before + 1:cut.upto] as moments
        from user_months
        cross join lateral (
            select
                width_bucket(range_start - interval '1 microsecond', moments) as before,
                width_bucket(range_end - interval '1 microsecond', moments) as upto
        ) cut
        where site_id = site
            and month >= date_trunc('month', range_start at time zone 'UTC') and month < range_end at time zone 'UTC'
            and cut.upto > cut.before
    ) s
    full join (
        select
            user_id, month,
            string_agg(set_byte('\x00', 0, number), '' order by event_time, number) as kinds,
            array_agg(event_time order by event_time, number) as moments
        from (
            select
                e.user_id, date_trunc('month', e.event_time at time zone 'UTC')::date as month, e.event_time, t.number
            from events e
            join event_types t on t.site_id = site and t.event_type = e.event_type
            where e.site_id = site and e.user_id is not null and e.event_time >= range_start and e.event_time < range_end
        ) placed
        group by user_id, month
    ) r on r.user_id = s.user_id and r.month = s.month
    where (s.kinds, s.moments) is distinct from (r.kinds, r.moments);
end
$$;

-- Make what users did on these days what the events say; see rebuild_days. Returns how many rows were not right.
create function rebuild_user_months(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set enable_nestloop = off -- as above: by the square of the users, until the table has statistics
as $$
begin
    perform from sites s where s.site_id = site for update;
    perform number_event_types(site, array(select distinct h.event_type from event_hours h where h.site_id = site));

    with different as materialized (
        select * from different_user_months(site, from_day, to_day)
    ),
    -- With what is outside of these days as it was.
    whole as materialized (
        select
            d.user_id, d.month,
            coalesce(substr(m.kinds, 1, cut.before), '') || coalesce(d.kinds, '')
                || coalesce(substr(m.kinds, cut.upto + 1), '') as kinds,
            coalesce(m.moments[:cut.before], '{}') || coalesce(d.moments, '{}')
                || coalesce(m.moments[cut.upto + 1:], '{}') as moments
        from different d
        left join user_months m on m.site_id = site and m.month = d.month and m.user_id = d.user_id
        cross join lateral (
            select
                width_bucket(d.range_start - interval '1 microsecond', m.moments) as before,
                width_bucket(d.range_end - interval '1 microsecond', m.moments) as upto
        ) cut
    ),
    surplus as materialized (
        select user_id, month from whole where kinds = ''
    ),
    gone as (
        delete from user_months m
        using surplus s
        where m.site_id = site and m.month = s.month and m.user_id = s.user_id
    ),
    put as (
        insert into user_months (site_id, month, user_id, kinds, moments)
        select site, month, user_id, kinds, moments from whole where kinds <> ''
        on conflict (site_id, month, user_id) do update set kinds = excluded.kinds, moments = excluded.moments
    )
    select count(*) into corrected from different;
end
$$;

-- As before (0011), but once the events are in both of the rollups that are made of them later.
create or replace function drop_oldest_partition() returns text
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
    where ends <= least(bound, (select min(least(sessions_until, user_months_until)) from sites))
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
