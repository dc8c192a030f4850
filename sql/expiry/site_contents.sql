-- What data does a site have? No row: there is no such site.
-- site_id: the site.
select
    e.events,
    e.first_event,
    e.last_event,
    (select count(*) from users where site_id = :'site_id') as users,
    (select count(*) from orders where site_id = :'site_id') as orders,
    (select count(distinct day) from path_days where site_id = :'site_id') as days,
    (select coalesce(sum(h.events), 0)::bigint from event_hours h where h.site_id = :'site_id') as counted
from sites s
cross join (
    select count(*) as events, min(event_time) as first_event, max(event_time) as last_event
    from events
    where site_id = :'site_id'
) e
where s.site_id = :'site_id'
