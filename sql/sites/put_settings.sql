-- Register a site, or change its settings. site_id: the site; name, origins, currency, secret_orders, retention_days: see
-- site_settings.
insert into site_settings (site_id, name, origins, currency, secret_orders, retention_days)
values (:'site_id', :'name', :'origins', :'currency', :'secret_orders', :'retention_days')
on conflict (site_id) do update set
    name = excluded.name,
    origins = excluded.origins,
    currency = excluded.currency,
    secret_orders = excluded.secret_orders,
    retention_days = excluded.retention_days
