-- Which sites have spans of users to be moved on?
-- target: the moment up to which they should be, as far as days are over then.
select site_id
from sites
where user_spans_until < (:'target'::timestamptz at time zone timezone)::date
order by site_id
