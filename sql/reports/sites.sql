-- Which sites are there, and how much has each? From the table of sites, the totals and the rollup by hour since; for the
-- very first and last event the events of that hour are looked up.
-- search: a regular expression that the site_id matches (empty: all); after: only sites behind this one, by site_id;
-- limit: how many. Where raw events are no longer kept, the first or last event is told by the hour that it was in.
with page as materialized (
    select site_id, timezone, users, path_spans_until as until
    from sites
    where site_id > :'after' and (:'search' = '' or site_id ~ :'search')
    order by site_id
    limit :'limit'
),
totals as (
    select
        site_id,
        sum(events)::bigint as events,
        sum(anonymous)::bigint as anonymous,
        min(first_hour) as first_hour,
        max(last_hour) as last_hour
    from (
        select t.site_id, t.events, t.anonymous, t.first_hour, t.last_hour
        from page p
        join event_totals t on t.site_id = p.site_id
        union all
        select h.site_id, h.events, h.anonymous, h.hour, h.hour
        from page p
        join event_hours h on h.site_id = p.site_id
            and h.hour >= p.until::timestamp at time zone p.timezone - interval '3 hours'
            and (h.hour at time zone p.timezone)::date >= p.until
    ) parts
    group by site_id
)
select
    p.site_id,
    p.timezone,
    coalesce(t.events, 0) as events,
    p.users,
    coalesce(t.anonymous, 0) as anonymous,
    coalesce(
        (
            select min(e.event_time)
            from events e
            -- Where clocks are changed by half an hour, one hour is an hour and a half.
            where e.site_id = t.site_id
                and e.event_time >= t.first_hour and e.event_time < t.first_hour + interval '2 hours'
        ),
        t.first_hour
    ) as first_event,
    coalesce(
        (
            select max(e.event_time)
            from events e
            where e.site_id = t.site_id
                and e.event_time >= t.last_hour and e.event_time < t.last_hour + interval '2 hours'
        ),
        t.last_hour
    ) as last_event
from page p
left join totals t on t.site_id = p.site_id
order by p.site_id
