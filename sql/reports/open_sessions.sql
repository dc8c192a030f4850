-- What sessions do the events of a site make that are not in the rollup yet, together with those that are? No row where
-- upkeep is behind by so much that the rollup is of no use.
-- site_id: the site. covered_until: the rollup has the events before that; sessions: an array of rows of its type.
select
    sessions_until::text as covered_until,
    (
        select coalesce(array_agg((site_id, user_id, began, ended, entry_page, exit_page, events, views)::sessions), '{}')::text
        from joined_sessions(site_id, sessions_until, 'infinity', '{}')
    ) as open
from sites
where site_id = :'site_id' and sessions_until > now() - interval '1 day'
