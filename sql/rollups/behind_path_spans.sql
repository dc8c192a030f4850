-- In which sites do path_spans lag?
-- target: they should have all five-day spans that are over at this moment.
-- A site with an unusable timezone is included: advancing it reports the error.
select site_id
from sites
where path_spans_until < sixth_of((:'target'::timestamptz at time zone usable_timezone(timezone))::date) is not false
order by site_id
