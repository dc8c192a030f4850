-- Which events of a site would a retention of its own delete now?
-- site_id: the site; days: that retention.
select count(*) as events, min(event_time) as first_event, max(event_time) as last_event
from events
where site_id = :'site_id' and event_time < date_trunc('day', now() - make_interval(hours => 24 * :'days'::integer), 'UTC')
