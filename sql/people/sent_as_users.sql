-- Which visitors of a site were sent as users before a moment, and not since? person: as whom they were first identified;
-- null: as nobody.
-- site_id: the site; before: the moment.
with seen as materialized (
    select
        visitor_id,
        (
            array_agg(user_id order by stored_at, event_time, event_id) filter (where user_id <> visitor_id)
        )[1] as person
    from events
    where site_id = :'site_id' and visitor_id is not null
    group by visitor_id
)
select s.visitor_id, s.person
from seen s
where exists (
        select 1
        from events e
        where e.site_id = :'site_id' and e.user_id = s.visitor_id and e.visitor_id is null
            and e.received_at < :'before'
    )
    and not exists (
        select 1
        from events e
        where e.site_id = :'site_id' and e.user_id = s.visitor_id and e.visitor_id is distinct from s.visitor_id
            and (e.received_at >= :'before' or e.visitor_id is not null)
    )
order by s.visitor_id
