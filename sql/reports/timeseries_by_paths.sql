-- How many events did a site have in each bucket of a range? From the rollups of paths.
-- site_id: the site; first_day, end_day: days of the site, half-open; the days from days_until to days_from are read as
-- the spans that begin and end on the days of the arrays span_firsts and span_ends; start, end: the same as instants;
-- interval: day, week or month of timezone, which is the site's; no bucket ends within a span; step: see buckets.sql;
-- filters: on event types and paths, see event_matches.
with recursive types as (
    -- The site's event types, which come first in the key of path_days.
    (select event_type from event_hours where site_id = :'site_id' order by event_type limit 1)
    union all
    select (
        select h.event_type
        from event_hours h
        where h.site_id = :'site_id' and h.event_type > t.event_type
        order by h.event_type
        limit 1
    )
    from types t
    where t.event_type is not null
),
parts as (
    select day, event_type, path, events
    from path_days
    where site_id = :'site_id' and event_type = any (array(select event_type from types))
        and day >= :'first_day' and day < :'days_until'
    union all
    select s.first_day, s.event_type, s.path, s.events
    from unnest(:'span_firsts'::date[], :'span_ends'::date[]) u (first_day, end_day)
    join path_spans s on s.site_id = :'site_id' and s.first_day = u.first_day and s.end_day = u.end_day
    union all
    select day, event_type, path, events
    from path_days
    where site_id = :'site_id' and event_type = any (array(select event_type from types))
        and day >= :'days_from' and day < :'end_day'
),
counted as (
    select date_trunc(:'interval', day::timestamp) at time zone :'timezone' as at, sum(events)::bigint as value
    from parts
    where event_matches(event_type, path, null, null, null, :'filters'::jsonb)
    group by 1
)
select at, coalesce(value, 0) as value
from buckets(:'start', :'end', :'interval', :'step'::interval, :'timezone')
left join counted using (at)
order by at
