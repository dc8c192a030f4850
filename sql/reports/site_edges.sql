-- When were the first and the last event of some sites? Null if that event has expired, or may have: if some of its
-- hour were deleted.
-- site_ids, first_hours, last_hours: arrays of the sites and of the hours of these events; first_from, first_to,
-- last_from, last_to: ranges that hold all first hours and all last hours, and end two hours after the latest, so that
-- the planner prunes partitions: planning for all of them takes long.
--
-- Two hours, because an hour may last an hour and a half where clocks change by half an hour.
select
    s.site_id,
    (
        select min(e.event_time)
        from events e
        where e.site_id = s.site_id
            and e.event_time >= u.first_hour and e.event_time < u.first_hour + interval '2 hours'
            and u.first_hour >= coalesce(s.own_deleted_until, '-infinity')
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
