-- Which sums of a site's sessions by day and length differ from what its sessions say, how many sessions does each have,
-- and in what do they differ?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show of them.
select
    json_build_object(
        'day', day,
        'seconds', seconds,
        'in', array_remove(array[
            case when says_sessions <> d.sessions then 'sessions' end,
            case when says_bounces <> d.bounces then 'bounces' end,
            case when says_views <> d.views then 'views' end,
            case when says_length <> d.length then 'length' end
        ], null)
    ) as key,
    says_sessions as says,
    d.sessions as should,
    count(*) over () as differences
from different_session_days(:'site_id', :'first_day', :'last_day') d
order by day, seconds
limit :'most'
