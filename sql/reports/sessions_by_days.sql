-- How many sessions began on some days, what were they like, and on which pages did most begin and end? From rollups.
-- site_id: the site; first_day, end_day: days of the site, half-open; start, end: the same as instants; limit: how many
-- pages; covered_until, open: see sessions_from_rollup.sql.
with changes as materialized (
    -- What the open sessions add to the sums of the rollup, less the stored sessions that they replace.
    select 1 as sign, o.*
    from unnest(:'open'::sessions[]) o
    where o.began >= :'start' and o.began < :'end'
    union all
    select -1, s.*
    from unnest(:'open'::sessions[]) o
    join sessions s on s.site_id = :'site_id' and s.user_id = o.user_id and s.began = o.began
    where o.began >= :'start' and o.began < :'end' and o.began < :'covered_until'
),
lengths as materialized (
    select
        seconds, sum(sessions) as sessions, sum(bounces) as bounces, sum(views) as views, sum(length) as length
    from (
        select seconds, sessions, bounces, views, length
        from session_days
        where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
        union all
        select
            floor(date_part('epoch', ended - began))::integer,
            sign, sign * (events = 1)::integer, sign * views, sign * (ended - began)
        from changes
    ) parts
    group by seconds
    having sum(sessions) > 0
),
totals as (
    select
        coalesce(sum(sessions), 0)::bigint as sessions,
        coalesce(sum(bounces), 0)::bigint as bounces,
        coalesce(sum(views), 0)::bigint as views,
        date_part('epoch', sum(length)) / sum(sessions)::float as average_seconds
    from lengths
),
-- The length(s) in seconds of the one or two sessions in the middle, and how many sessions are shorter.
middle as materialized (
    select min(seconds) as first, max(seconds) as last, min(shorter) as shorter
    from (
        select seconds, sessions, sum(sessions) over (order by seconds) - sessions as shorter
        from lengths
    ) placed
    where shorter < (select sessions / 2 + 1 from totals) and shorter + sessions >= (select (sessions + 1) / 2 from totals)
),
-- The UTC days of the range, as in the index sessions_length.
utc_days as (
    select day::date
    from generate_series(:'first_day'::date - 1, :'end_day'::date, interval '1 day') day
),
median as (
    select avg(date_part('epoch', length)) as median_seconds
    from (
        select length, row_number() over (order by length) + (select shorter from middle) as place
        from (
            (
                select ended - began as length
                from sessions
                where site_id = :'site_id' and began >= :'start' and began < :'end'
                    and (began at time zone 'UTC')::date = any (array(select day from utc_days))
                    and floor(date_part('epoch', ended - began))::integer
                        in ((select first from middle), (select last from middle))
                except all
                select ended - began from changes where sign = -1
            )
            union all
            select ended - began
            from changes
            where sign = 1
                and floor(date_part('epoch', ended - began))::integer
                    in ((select first from middle), (select last from middle))
        ) found
    ) ordered
    where place in ((select (sessions + 1) / 2 from totals), (select sessions / 2 + 1 from totals))
),
pages as materialized (
    select path, sum(entries) as entries, sum(exits) as exits
    from (
        select path, entries, exits
        from session_page_days
        where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
        union all
        select entry_page, sign, 0 from changes
        union all
        select exit_page, 0, sign from changes
    ) parts
    group by path
),
entries as (
    select path, entries as sessions
    from pages
    where entries > 0
    order by sessions desc, path collate "C"
    limit :'limit'
),
exits as (
    select path, exits as sessions
    from pages
    where exits > 0
    order by sessions desc, path collate "C"
    limit :'limit'
),
-- A user with events on these days has a session that begins on them, unless their only one began before.
chunks as (
    select bit_or(users) as users
    from user_days
    where site_id = :'site_id' and day >= :'first_day' and day < :'end_day'
    group by chunk
),
came_before as (
    select user_id
    from sessions
    where site_id = :'site_id'
        and began >= :'start'::timestamptz - interval '2 hours' and began < :'start' and ended >= :'start'
    union
    select user_id
    from sessions
    where site_id = :'site_id' and ended - began > interval '2 hours' and began < :'start' and ended >= :'start'
    union
    select user_id
    from unnest(:'open'::sessions[])
    where began < :'start' and ended >= :'start'
)
select
    totals.*,
    (select median_seconds from median) as median_seconds,
    (select coalesce(sum(bit_count(users)), 0)::bigint from chunks) - (
        select count(*)
        from came_before c
        where not exists (
                select 1
                from sessions s
                where s.site_id = :'site_id' and s.user_id = c.user_id and s.began >= :'start' and s.began < :'end'
            )
            and not exists (
                select 1
                from unnest(:'open'::sessions[]) o
                where o.user_id = c.user_id and o.began >= :'start' and o.began < :'end'
            )
    ) as users,
    (
        select coalesce(sum(anonymous), 0)::bigint
        from event_hours
        where site_id = :'site_id' and hour >= :'start' and hour < :'end'
    ) as anonymous,
    (select coalesce(jsonb_agg(entries order by sessions desc, path collate "C"), '[]') from entries) as entry_pages,
    (select coalesce(jsonb_agg(exits order by sessions desc, path collate "C"), '[]') from exits) as exit_pages
from totals
