-- Dead-letter what could not be stored, once; an event with a known day of arrival counts as dead on that day.
-- letters: a JSON array of {id, site_id, event_id, event_type, received_at, queue, message_id, payload (in base64),
-- error, sqlstate, attempts}; unknown values are null.
with filed as (
    insert into dead_letters (
        id, site_id, event_id, event_type, received_at, queue, message_id, payload, error, sqlstate, attempts
    )
    select
        id, site_id, event_id, event_type, received_at, queue, message_id, decode(payload, 'base64'), error, sqlstate,
        attempts
    from jsonb_to_recordset(:'letters'::jsonb) letter (
        id          uuid,
        site_id     text,
        event_id    uuid,
        event_type  text,
        received_at timestamptz,
        queue       text,
        message_id  uuid,
        payload     text,
        error       text,
        sqlstate    text,
        attempts    integer
    )
    on conflict (id) do nothing
    returning site_id, received_at
)
insert into settled_days (site_id, day, dead)
select site_id, (received_at at time zone 'UTC')::date, count(*)
from filed
where site_id is not null and received_at is not null
group by 1, 2
order by 1, 2
on conflict (site_id, day) do update set dead = settled_days.dead + excluded.dead
