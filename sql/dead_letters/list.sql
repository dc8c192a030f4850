-- Which dead letters are there, the newest failure first?
-- Each of these is null or has to match: state, site_id, event_type, sqlstate, error (a part of it), failed_from and
-- failed_to (half-open). failed_before and id_before: continue after this letter; limit: how many.
select
    id, state, site_id, event_id, event_type, received_at, queue, message_id, error, sqlstate, attempts, failed_at,
    changed_at, length(payload) as payload_bytes
from dead_letters
where (:'state'::text is null or state = :'state')
    and (:'site_id'::text is null or site_id = :'site_id')
    and (:'event_type'::text is null or event_type = :'event_type')
    and (:'sqlstate'::text is null or sqlstate = :'sqlstate')
    and (:'error'::text is null or position(:'error' in error) > 0)
    and (:'failed_from'::timestamptz is null or failed_at >= :'failed_from')
    and (:'failed_to'::timestamptz is null or failed_at < :'failed_to')
    and (:'failed_before'::timestamptz is null or (failed_at, id) < (:'failed_before', :'id_before'::uuid))
order by failed_at desc, id desc
limit :'limit'
