-- Record how many events a Redis has counted as accepted: counts only grow, so the largest is the newest.
-- source: which Redis; counted_at: when it was read; counts: a JSON array of {site_id, day, events}.
insert into accepted_days (site_id, day, source, events, counted_at)
select site_id, day, :'source', events, :'counted_at'
from jsonb_to_recordset(:'counts'::jsonb) c (site_id text, day date, events bigint)
order by site_id, day
on conflict (site_id, day, source) do update set
    events = excluded.events,
    counted_at = excluded.counted_at
where accepted_days.events < excluded.events
