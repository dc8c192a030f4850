-- In which sites do user_spans lag?
-- target: they should have all days that are over at this moment.
-- A site with an unusable timezone is included: advancing it reports the error.
select site_id
from sites
where user_spans_until < (:'target'::timestamptz at time zone usable_timezone(timezone))::date is not false
order by site_id
