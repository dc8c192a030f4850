-- In which sites do the deferred rollups lag behind a moment, and what is their lowest watermark?
-- moment: the moment. Null: they have no events yet.
select
    site_id,
    nullif(
        least(coalesce(sessions_until, '-infinity'), coalesce(user_months_until, '-infinity')), '-infinity'
    ) as rolled_up_until
from sites
where (sessions_until >= :'moment' and user_months_until >= :'moment') is not true
order by rolled_up_until nulls first, site_id
