-- Which expiry is announced, since when, and which moment is this many days ago?
-- days: RETENTION_DAYS; now: the current time, or null for the database's clock. Null: nothing is announced.
select
    p.present,
    p.present - make_interval(hours => 24 * :'days'::integer) as older_than,
    k.events_from,
    k.said_at
from (select coalesce(:'now'::timestamptz, now()) as present) p
left join kept_events k on true
