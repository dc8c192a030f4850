-- Which rows of session_page_days differ from a site's sessions, in their entries or their exits?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object(
        'day', day,
        'path', path,
        'counts', case when says_entries = d.entries then 'exits' else 'entries' end
    ) as key,
    case when says_entries = d.entries then says_exits else says_entries end as says,
    case when says_entries = d.entries then d.exits else d.entries end as should,
    count(*) over () as differences
from different_session_page_days(:'site_id', :'first_day', :'last_day') d
order by day, path
limit :'most'
