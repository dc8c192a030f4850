-- What happened to the events that were accepted on some days (UTC), by site?
-- site_id: the site, or null for all; from, to: days, half-open; source: the Redis that counts now.
-- accepted_here: counted by that Redis up to counted_at; accepted_elsewhere: counted by other Redis servers before, or
-- by replays.
with accepted as (
    select
        site_id,
        day,
        coalesce(sum(events) filter (where source <> :'source'), 0)::bigint as accepted_elsewhere,
        coalesce(sum(events) filter (where source = :'source'), 0)::bigint as accepted_here,
        max(counted_at) filter (where source = :'source') as counted_at
    from accepted_days
    where (:'site_id'::text is null or site_id = :'site_id') and day >= :'from' and day < :'to'
    group by site_id, day
),
settled as (
    select site_id, day, stored, duplicates, dead
    from settled_days
    where (:'site_id'::text is null or site_id = :'site_id') and day >= :'from' and day < :'to'
)
select
    site_id,
    day,
    coalesce(accepted_elsewhere, 0) as accepted_elsewhere,
    coalesce(accepted_here, 0) as accepted_here,
    counted_at,
    coalesce(stored, 0) as stored,
    coalesce(duplicates, 0) as duplicates,
    coalesce(dead, 0) as dead
from accepted
full join settled using (site_id, day)
order by day, site_id
