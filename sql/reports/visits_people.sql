-- How many different people had visits?
-- site_id: the site; start, end: the range in which they begin; visits: filters, see count_visits.
select coalesce(max(people), 0) as people
from count_visits(:'site_id', :'start', :'end', :'visits'::jsonb, null, null, null, null, true)
