-- When were the first and the last event of some sites? Null where that is no longer kept.
-- site_ids, first_hours, last_hours: arrays of the sites and of the hours that these events are in; first_from, first_to,
-- last_from, last_to: all first hours, and all last ones, are in these ranges, which end two hours after the latest: for the
-- planner, which takes a while to plan for the partitions that they leave.
--
-- Where clocks are changed by half an hour, one hour is an hour and a half.
select
    s.site_id,
    (
        select min(e.event_time)
        from events e
        where e.site_id = s.site_id
            and e.event_time >= u.first_hour and e.event_time < u.first_hour + interval '2 hours'
            and e.event_time >= :'first_from' and e.event_time < :'first_to'
    ) as first_event,
    (
        select max(e.event_time)
        from events e
        where e.site_id = s.site_id
            and e.event_time >= u.last_hour and e.event_time < u.last_hour + interval '2 hours'
            and e.event_time >= :'last_from' and e.event_time < :'last_to'
    ) as last_event
from sites s
join unnest(:'site_ids'::text[], :'first_hours'::timestamptz[], :'last_hours'::timestamptz[]) u (site_id, first_hour, last_hour)
    on u.site_id = s.site_id
