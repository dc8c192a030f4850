-- Sessions: a user's events up to a silence of 30 minutes or more. The rollup is as exact as the others and stays when raw
-- events are dropped, but is written later, as most sessions would be written once a flush otherwise: it has the events
-- before sites.sessions_until, which upkeep moves on. What is stored after that for an earlier time is added at once; a
-- report adds the events from then on itself (joined_sessions).

create table sessions (
    site_id    varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    began      timestamptz,
    ended      timestamptz not null,           -- the time of the last event
    entry_page text collate "C" not null,      -- the path of the first event, and of the last one; of those of the
    exit_page  text collate "C" not null,      -- same instant, the path that comes first, or last
    events     integer not null,
    views      integer not null,               -- the events of type page_view
    -- With its end, so that the session that an event belongs to is found without reading the table.
    primary key (site_id, user_id, began) include (ended)
);
create index sessions_began on sessions (site_id, began);
-- The sessions of some length, for the median; by days (of UTC, as an index does not know the site's) so that those of a
-- time are added in one place.
create index sessions_length
    on sessions (site_id, ((began at time zone 'UTC')::date), (floor(date_part('epoch', ended - began))::integer))
    include (began, ended);
-- The few that may have begun long before the range that they reach into.
create index sessions_long on sessions (site_id, ended) where ended - began > interval '2 hours';

-- Sums of them by the day of the site that they begin on, so that a report of days need not read each session. All that
-- writes sessions does so by replace_sessions, which keeps the sums.
--
-- A row whose sessions have all become others stays with zeros, which is as good as no row.
create table session_days (
    site_id  varchar(255) collate "C",
    day      date,
    seconds  integer,           -- from the first to the last event of a session, rounded down
    sessions integer not null,
    bounces  integer not null,  -- sessions of a single event
    views    integer not null,
    length   interval not null, -- of all these sessions together
    primary key (site_id, day, seconds)
);

create table session_page_days (
    site_id varchar(255) collate "C",
    day     date,
    path    text collate "C",
    entries integer not null,   -- sessions that begin at it, and that end at it
    exits   integer not null,
    primary key (site_id, day, path)
);

alter table sites add sessions_until timestamptz not null default '-infinity';

-- What the rollups need to know of an event that is new.
create type fresh_event as (
    site_id     varchar(255) collate "C",
    event_type  varchar(100) collate "C",
    path        text collate "C",
    user_id     varchar(255) collate "C",
    event_time  timestamptz,
    received_at timestamptz
);

-- What sessions do some events of a site make with those that are in the rollup? The events are all those of a range, and
-- some others. replaced: the sessions of the rollup whose place it takes.
create function joined_sessions(site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[])
returns table (
    user_id varchar, began timestamptz, ended timestamptz, entry_page text, exit_page text, events integer, views integer,
    replaced sessions[]
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with added as materialized (
        select user_id, event_time, path, event_type
        from events
        where site_id = site and user_id is not null and event_time >= range_start and event_time < range_end
        union all
        select user_id, event_time, path, event_type
        from unnest(others)
        where user_id is not null
    ),
    users as materialized (
        select user_id, min(event_time) as first, max(event_time) as last
        from added
        group by user_id
    ),
    -- The sessions that they may belong to, and each of them as a session of its own.
    pieces as (
        select s.user_id, s.began, s.ended, s.entry_page, s.exit_page, s.events, s.views, s as stored
        from users
        join sessions s on s.site_id = site and s.user_id = users.user_id
            and s.began < users.last + interval '30 minutes' and s.ended > users.first - interval '30 minutes'
        union all
        select user_id, event_time, event_time, path, path, 1, (event_type = 'page_view')::integer, null
        from added
    ),
    -- They are one where the silence between them is too short.
    placed as (
        select
            *,
            began - max(ended) over (
                partition by user_id order by began, entry_page rows between unbounded preceding and 1 preceding
            ) < interval '30 minutes' is not true as begins
        from pieces
    ),
    told_apart as (
        select
            *,
            max(began) filter (where begins) over (
                partition by user_id order by began, entry_page rows unbounded preceding
            ) as session_began
        from placed
    )
    select
        user_id,
        session_began,
        max(ended),
        (array_agg(entry_page order by began, entry_page))[1],
        (array_agg(exit_page order by ended desc, exit_page desc))[1],
        sum(events)::integer,
        sum(views)::integer,
        array_agg(stored) filter (where stored is not null)
    from told_apart
    group by user_id, session_began;
end
$$;

-- Put sessions of a site in the place of others. The site is locked by the caller.
create function replace_sessions(site varchar, gone sessions[], put sessions[]) returns void
language plpgsql
as $$
begin
    delete from sessions s
    using unnest(gone) g
    where s.site_id = site and s.user_id = g.user_id and s.began = g.began;

    insert into sessions (site_id, user_id, began, ended, entry_page, exit_page, events, views)
    select site, user_id, began, ended, entry_page, exit_page, events, views
    from unnest(put);

    with changes as materialized (
        select c.*, (c.began at time zone s.timezone)::date as day
        from sites s
        cross join (
            select 1 as sign, p.* from unnest(put) p
            union all
            select -1, g.* from unnest(gone) g
        ) c
        where s.site_id = site
    ),
    days as (
        insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
        select
            site, day, floor(date_part('epoch', ended - began))::integer,
            sum(sign), sum(sign * (events = 1)::integer), sum(sign * views), sum(sign * (ended - began))
        from changes
        group by 2, 3
        on conflict (site_id, day, seconds) do update set
            sessions = session_days.sessions + excluded.sessions,
            bounces = session_days.bounces + excluded.bounces,
            views = session_days.views + excluded.views,
            length = session_days.length + excluded.length
    )
    insert into session_page_days (site_id, day, path, entries, exits)
    select site, day, path, sum(entries), sum(exits)
    from (
        select day, entry_page as path, sign as entries, 0 as exits from changes
        union all
        select day, exit_page, 0, sign from changes
    ) pages
    group by 2, 3
    on conflict (site_id, day, path) do update set
        entries = session_page_days.entries + excluded.entries,
        exits = session_page_days.exits + excluded.exits;
end
$$;

-- Add events of a site to its sessions: all those of a range, and some others, none of which is in them yet. The site is
-- locked by the caller.
create function add_to_sessions(site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[])
returns void
language plpgsql
as $$
declare
    gone sessions[];
    put sessions[];
begin
    with joined as materialized (
        select * from joined_sessions(site, range_start, range_end, others)
    )
    select
        (select array_agg(r) from joined cross join unnest(replaced) r),
        (
            select array_agg((site, user_id, began, ended, entry_page, exit_page, events, views)::sessions)
            from joined
        )
    into gone, put;
    perform replace_sessions(site, gone, put);
end
$$;

-- Move a site's sessions on towards a moment, by about so many events at most. Returns whether there is more to do.
create function advance_sessions(site varchar, target timestamptz, most integer, out unfinished boolean)
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

-- The sessions of a site that begin in a range, of the events before seen_until that match the filters (event_matches),
-- counted from these: what the rollup must equal, and what a report counts whose filters it does not hold.
--
-- Whether a session begins in the range is told by the 30 minutes before it, and the last ones go on after its end.
create function sessions_in(
    site varchar, range_start timestamptz, range_end timestamptz, seen_until timestamptz, filters jsonb
)
returns table (
    user_id varchar, began timestamptz, ended timestamptz, entry_page text, exit_page text, events integer, views integer
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with recursive placed as (
        select
            user_id,
            event_time,
            path,
            event_type = 'page_view' as viewed,
            event_time - lag(event_time) over user_events < interval '30 minutes' is not true as begins,
            lead(event_time) over user_events - event_time < interval '30 minutes' is not true as ends,
            row_number() over user_events as events,
            count(*) filter (where event_type = 'page_view') over user_events as views
        from events
        where site_id = site and user_id is not null
            and event_time >= range_start - interval '30 minutes' and event_time < least(range_end, seen_until)
            and event_matches(event_type, path, user_id, properties, filters)
        window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
    ),
    -- Only the first and the last event of a session are needed from here on; they may be the same.
    edges as (
        select
            *,
            lead(event_time) over user_events as next_time,
            lead(path) over user_events as next_path,
            lead(events) over user_events as next_events,
            lead(views) over user_events as next_views
        from placed
        where begins or ends
        window user_events as (partition by user_id order by event_time, path rows unbounded preceding)
    ),
    begun as (
        select
            user_id,
            event_time as began,
            case when ends then event_time else next_time end as ended,
            path as entry_page,
            case when ends then path else next_path end as exit_page,
            case when ends then 1 else next_events - events + 1 end as events,
            case when ends then viewed::integer else next_views - views + viewed::integer end as views
        from edges
        where begins and event_time >= range_start
    ),
    -- What is within 30 minutes of the last event goes on with the session, and so on.
    going_on as (
        select user_id, began, ended, entry_page, exit_page, events, views
        from begun
        where ended > range_end - interval '30 minutes'
        union all
        select g.user_id, g.began, later.ended, g.entry_page, later.exit_page, g.events + later.events, g.views + later.views
        from going_on g
        cross join lateral (
            select
                max(event_time) as ended,
                (array_agg(path order by event_time desc, path desc))[1] as exit_page,
                count(*) as events,
                count(*) filter (where event_type = 'page_view') as views
            from events
            where site_id = site and user_id = g.user_id
                and event_time > g.ended and event_time < least(g.ended + interval '30 minutes', seen_until)
                and event_matches(event_type, path, user_id, properties, filters)
            having count(*) > 0
        ) later
    )
    select user_id, began, ended, entry_page, exit_page, events::integer, views::integer
    from begun
    where ended <= range_end - interval '30 minutes'
    union all
    (
        select distinct on (user_id) user_id, began, ended, entry_page, exit_page, events::integer, views::integer
        from going_on
        order by user_id, ended desc
    );
end
$$;

-- Where do the sessions that begin on these days differ from what the events say? Those are left out that may have begun
-- before the first event that is kept.
create function different_sessions(site varchar, first_day date, last_day date)
returns table (
    user_id varchar, began timestamptz,
    says_ended timestamptz, says_entry_page text, says_exit_page text, says_events integer, says_views integer,
    ended timestamptz, entry_page text, exit_page text, events integer, views integer
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end timestamptz;
    seen_until timestamptz;
begin
    select
        greatest(first_day::timestamp at time zone s.timezone, s.events_from + interval '30 minutes'),
        least((last_day + 1)::timestamp at time zone s.timezone, s.sessions_until),
        s.sessions_until
    into range_start, range_end, seen_until
    from sites s
    where s.site_id = site;
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.began, r.began),
        s.ended, s.entry_page, s.exit_page, s.events, s.views,
        r.ended, r.entry_page, r.exit_page, r.events, r.views
    from (
        select *
        from sessions
        where site_id = site and began >= range_start and began < range_end
    ) s
    full join sessions_in(site, range_start, range_end, seen_until, null) r on r.user_id = s.user_id and r.began = s.began
    where (s.ended, s.entry_page, s.exit_page, s.events, s.views)
        is distinct from (r.ended, r.entry_page, r.exit_page, r.events, r.views);
end
$$;

-- Where do the sums of these days differ from what the sessions say? No row is one of zeros. Days whose events are no
-- longer kept are left out, as they are of all rollups; see the notes in 0005.
create function different_session_days(site varchar, first_day date, last_day date)
returns table (
    day date, seconds integer,
    says_sessions integer, says_bounces integer, says_views integer, says_length interval,
    sessions integer, bounces integer, views integer, length interval
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        coalesce(s.day, r.day), coalesce(s.seconds, r.seconds),
        coalesce(s.sessions, 0), coalesce(s.bounces, 0), coalesce(s.views, 0), coalesce(s.length, '0'),
        coalesce(r.sessions, 0), coalesce(r.bounces, 0), coalesce(r.views, 0), coalesce(r.length, '0')
    from (
        select *
        from session_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            (began at time zone zone)::date as day,
            floor(date_part('epoch', ended - began))::integer as seconds,
            count(*)::integer as sessions,
            count(*) filter (where events = 1)::integer as bounces,
            sum(views)::integer as views,
            sum(ended - began) as length
        from sessions
        where site_id = site
            and began >= first_day::timestamp at time zone zone - interval '3 hours'
            and began < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (began at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.day = s.day and r.seconds = s.seconds
    where (coalesce(s.sessions, 0), coalesce(s.bounces, 0), coalesce(s.views, 0), coalesce(s.length, '0'))
        <> (coalesce(r.sessions, 0), coalesce(r.bounces, 0), coalesce(r.views, 0), coalesce(r.length, '0'));
end
$$;

create function different_session_page_days(site varchar, first_day date, last_day date)
returns table (day date, path text, says_entries integer, says_exits integer, entries integer, exits integer)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select
        coalesce(s.day, r.day), coalesce(s.path, r.path),
        coalesce(s.entries, 0), coalesce(s.exits, 0), coalesce(r.entries, 0), coalesce(r.exits, 0)
    from (
        select *
        from session_page_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            (began at time zone zone)::date as day, pages.path,
            sum(pages.entries)::integer as entries, sum(pages.exits)::integer as exits
        from sessions
        cross join lateral (values (entry_page, 1, 0), (exit_page, 0, 1)) pages (path, entries, exits)
        where site_id = site
            and began >= first_day::timestamp at time zone zone - interval '3 hours'
            and began < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (began at time zone zone)::date between first_day and last_day
        group by 1, 2
    ) r on r.day = s.day and r.path = s.path
    where (coalesce(s.entries, 0), coalesce(s.exits, 0)) <> (coalesce(r.entries, 0), coalesce(r.exits, 0));
end
$$;

-- Make the sessions that begin on these days what the events say, and then their sums; see rebuild_days. Returns how many
-- rows were not right.
create function rebuild_sessions(site varchar, first_day date, last_day date, out corrected bigint)
language plpgsql
as $$
declare
    gone sessions[];
    put sessions[];
begin
    perform from sites s where s.site_id = site for update;

    select
        count(*),
        array_agg(
            (site, user_id, began, says_ended, says_entry_page, says_exit_page, says_events, says_views)::sessions
        ) filter (where says_events is not null),
        array_agg((site, user_id, began, ended, entry_page, exit_page, events, views)::sessions)
            filter (where events is not null)
    into corrected, gone, put
    from different_sessions(site, first_day, last_day);
    perform replace_sessions(site, gone, put);

    with different as materialized (
        select * from different_session_days(site, first_day, last_day)
    ),
    put as (
        insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
        select site, day, seconds, sessions, bounces, views, length from different
        on conflict (site_id, day, seconds) do update set
            sessions = excluded.sessions,
            bounces = excluded.bounces,
            views = excluded.views,
            length = excluded.length
    )
    select corrected + count(*) into corrected from different;

    with different as materialized (
        select * from different_session_page_days(site, first_day, last_day)
    ),
    put as (
        insert into session_page_days (site_id, day, path, entries, exits)
        select site, day, path, entries, exits from different
        on conflict (site_id, day, path) do update set
            entries = excluded.entries,
            exits = excluded.exits
    )
    select corrected + count(*) into corrected from different;
end
$$;

-- A hash or a merge of all rows takes longer than a loop over few of them, but never by the square of them: as long as a
-- table is new to the planner's statistics, that is what it would choose for the first site after others.
alter function different_event_hours(varchar, date, date) set enable_nestloop = off;
alter function different_path_days(varchar, date, date) set enable_nestloop = off;
alter function different_user_days(varchar, date, date) set enable_nestloop = off;
alter function different_sessions(varchar, date, date) set enable_nestloop = off;
alter function unnumbered_users(varchar, date, date) set enable_nestloop = off;
