-- Which sites are there, and how much data does each have? From sites, the totals and the later rows of the rollup by
-- hour, which gives the first and last event by their hours.
-- search: a regular expression that the site_id matches (empty: all); after: only sites after this one, by site_id;
-- sites: only these, null: all; limit: how many.
with page as materialized (
    -- An unusable timezone of one site must not break the list.
    select
        site_id, timezone, coalesce(usable_timezone(timezone), 'UTC') as zone, users - vacant_numbers as users,
        path_spans_until as until
    from sites
    where site_id > :'after' and (:'search' = '' or site_id ~ :'search')
        and (:'sites'::text[] is null or site_id = any (:'sites'::text[]))
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
            and h.hour >= p.until::timestamp at time zone p.zone - interval '3 hours'
            and (h.hour at time zone p.zone)::date >= p.until
    ) parts
    group by site_id
)
select
    p.site_id,
    p.timezone,
    coalesce(t.events, 0) as events,
    p.users,
    coalesce(t.anonymous, 0) as anonymous,
    t.first_hour,
    t.last_hour
from page p
left join totals t on t.site_id = p.site_id
order by p.site_id
