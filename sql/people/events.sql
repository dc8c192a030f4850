-- A person's events, the oldest first.
-- site_id: the site; user_id: the person.
select
    e.event_id, e.event_type, e.path, e.event_time, e.received_at, e.stored_at, e.properties::text as properties,
    e.visitor_id, a.country, a.device, a.browser, a.os, a.language, o.source, o.medium, o.campaign, o.term, o.content,
    o.referrer, o.channel
from events e
left join agents a on a.site_id = :'site_id' and a.number = e.agent_number
left join origins o on o.site_id = :'site_id' and o.number = e.origin_number
where e.site_id = :'site_id' and e.user_id = :'user_id'
order by e.event_time, e.event_id
