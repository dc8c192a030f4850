-- The settings of a registered site, and of all if null. site_id: the site.
select
    s.site_id, s.name, coalesce(t.timezone, 'UTC') as timezone, s.origins, s.currency, s.secret_orders, s.retention_days,
    s.created_at
from site_settings s
left join sites t on t.site_id = s.site_id
where :'site_id'::text is null or s.site_id = :'site_id'
order by s.site_id
