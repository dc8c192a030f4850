-- How far is a site's own retention_days? No row: it has none.
-- site_id: the site; until: before which moment its events are expired; now: the current time, or null for the database's
-- clock.
select
    t.retention_days as days,
    (
        s.own_events_from >= :'until'::timestamptz
        and s.own_said_at <= coalesce(:'now'::timestamptz, now()) - interval '5 minutes'
    ) is true as announced,
    s.sessions_until >= :'until'::timestamptz and s.user_months_until >= :'until'::timestamptz as rolled_up,
    nullif(least(s.sessions_until, s.user_months_until), '-infinity') as rolled_up_until,
    e.events,
    e.first_event,
    e.last_event
from site_settings t
join sites s on s.site_id = :'site_id'
cross join (
    select count(*) as events, min(event_time) as first_event, max(event_time) as last_event
    from events
    where site_id = :'site_id' and event_time < :'until'::timestamptz
) e
where t.site_id = :'site_id'
