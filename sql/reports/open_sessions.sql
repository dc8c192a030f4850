-- What sessions do the events of a site make that are not in the rollup yet, together with those that are? No row where
-- upkeep is behind by so much that the rollup is of no use.
-- site_id: the site; end: where the range ends that is asked about; now: the present. covered_until: the rollup has the
-- events before that; open: an array of rows of its type.
--
-- Nothing is added to a range that ended some hours before that, unless a session reaches from it up to there.
select
    sessions_until::text as covered_until,
    case
        when :'end' <= sessions_until - interval '2 hours 30 minutes' and not exists (
            select
            from sessions
            where site_id = :'site_id' and ended - began > interval '2 hours'
                and ended > sessions_until - interval '30 minutes' and began < :'end'
        ) then '{}'
        else (
            select coalesce(array_agg((site_id, user_id, began, ended, entry_page, exit_page, events, views)::sessions), '{}')::text
            from joined_sessions(site_id, sessions_until, 'infinity', '{}')
        )
    end as open
from sites
where site_id = :'site_id' and sessions_until > :'now'::timestamptz - interval '1 day'
