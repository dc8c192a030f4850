-- Which rows of session_days differ from a site's sessions, how many sessions does each have, and in which columns do
-- they differ?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
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
