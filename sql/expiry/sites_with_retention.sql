-- Which sites have a retention of their own, or an announcement of it that may have to be taken back?
select s.site_id
from sites s
left join site_settings t on t.site_id = s.site_id
where t.retention_days is not null or s.own_events_from is distinct from s.own_deleted_until
order by s.site_id
