-- From when on are events kept, since when is that said, and before which moment are events older than so many days?
-- days: how many; now: the present, or null for the database's clock. Null: nothing was said.
select
    p.present,
    p.present - make_interval(hours => 24 * :'days'::integer) as older_than,
    k.events_from,
    k.said_at
from (select coalesce(:'now'::timestamptz, now()) as present) p
left join kept_events k on true
