-- Which sites lack events before a moment in the rollups that are written later, and up to when have they all?
-- moment: the moment. Null: they have none yet.
select
    site_id,
    nullif(
        least(coalesce(sessions_until, '-infinity'), coalesce(user_months_until, '-infinity')), '-infinity'
    ) as rolled_up_until
from sites
where (sessions_until >= :'moment' and user_months_until >= :'moment') is not true
order by rolled_up_until nulls first, site_id
