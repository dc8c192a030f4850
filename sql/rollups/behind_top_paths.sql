-- In which sites do top_paths lag, or have outdated rows?
-- target: they should have all days that are over at this moment.
-- A site with an unusable timezone is included: advancing it reports the error.
select site_id
from sites s
where (top_paths_until < (:'target'::timestamptz at time zone usable_timezone(timezone))::date is not false)
    or exists (select 1 from top_paths t where t.site_id = s.site_id and t.outdated)
order by site_id
