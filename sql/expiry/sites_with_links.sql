-- Which sites have links of visitors, and events that have expired?
select s.site_id
from sites s
where s.events_from is not null and exists (select 1 from visitors v where v.site_id = s.site_id)
order by s.site_id
