-- Which sites have spans of paths to be moved on?
-- target: the moment up to which they should be, as far as sixths of months are over then.
select site_id
from sites
where path_spans_until < sixth_of((:'target'::timestamptz at time zone timezone)::date)
order by site_id
