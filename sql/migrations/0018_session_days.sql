-- Sessions by day: sums on top of the rollup of sessions, by the day of the site that they begin in, so that a report of
-- days need not read each session. All that writes sessions does so by replace_sessions, which keeps the sums.

-- Whoever writes sessions locks their site first: they wait until the sums have what there is.
lock table sites in exclusive mode;

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

-- With its end, so that the session that an event belongs to is found without reading the table.
alter table sessions drop constraint sessions_pkey, add primary key (site_id, user_id, began) include (ended);

-- The sessions of some length, for the median; by days (of UTC, as an index does not know the site's) so that those of a
-- time are added in one place.
create index sessions_length
    on sessions (site_id, ((began at time zone 'UTC')::date), (floor(date_part('epoch', ended - began))::integer))
    include (began, ended);
-- The few that may have begun long before the range that they reach into.
create index sessions_long on sessions (site_id, ended) where ended - began > interval '2 hours';

insert into session_days (site_id, day, seconds, sessions, bounces, views, length)
select
    site_id, (began at time zone timezone)::date, floor(date_part('epoch', ended - began))::integer,
    count(*), count(*) filter (where events = 1), sum(views), sum(ended - began)
from sessions
join sites using (site_id)
group by 1, 2, 3;

insert into session_page_days (site_id, day, path, entries, exits)
select site_id, (began at time zone timezone)::date, path, sum(entries), sum(exits)
from sessions
join sites using (site_id)
cross join lateral (values (entry_page, 1, 0), (exit_page, 0, 1)) pages (path, entries, exits)
group by 1, 2, 3;

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

-- As before (0010), but of those in the rollup it tells all whose place a session takes.
drop function joined_sessions(varchar, timestamptz, timestamptz, fresh_event[]);
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

-- As before (0010), with the sums.
create or replace function add_to_sessions(site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[])
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
create or replace function rebuild_sessions(site varchar, first_day date, last_day date, out corrected bigint)
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
