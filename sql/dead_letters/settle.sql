-- Record that the event of a dead letter is stored, or was stored before, and move the counts of its day. If the stored
-- event is of another site or day than the letter, it counts as accepted there, and no longer here.
-- id: the letter's id; state: 'stored' or 'duplicate'; request: the request's id; batch: the event, in a JSON array.
with letter as (
    update dead_letters
    set state = :'state', changed_by = :'request', changed_at = now()
    where id = :'id'
    returning site_id, (received_at at time zone 'UTC')::date as day
),
event as (
    select site_id, (received_at at time zone 'UTC')::date as day
    from jsonb_to_recordset(:'batch'::jsonb) e (site_id text, received_at timestamptz)
),
admitted as (
    insert into accepted_days (site_id, day, source, events)
    select site_id, day, 'replay', sum(events)
    from (
        select site_id, day, 1 as events from event
        union all
        select site_id, day, -1 from letter where site_id is not null and day is not null
    ) moves
    group by site_id, day
    having sum(events) <> 0
    on conflict (site_id, day, source) do update set events = accepted_days.events + excluded.events
)
update settled_days d
set dead = d.dead - 1
from letter
where d.site_id = letter.site_id and d.day = letter.day
