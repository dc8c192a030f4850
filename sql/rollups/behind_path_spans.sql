-- Which sites have spans of paths to be moved on?
-- target: the moment up to which they should be, as far as sixths of months are over then.
-- A site whose timezone cannot be used is among them: to move it on says what is wrong.
select site_id
from sites
where path_spans_until < sixth_of((:'target'::timestamptz at time zone usable_timezone(timezone))::date) is not false
order by site_id
