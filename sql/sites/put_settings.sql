-- Register a site, or change its settings. site_id: the site; name, origins, currency, secret_orders: see site_settings.
insert into site_settings (site_id, name, origins, currency, secret_orders)
values (:'site_id', :'name', :'origins', :'currency', :'secret_orders')
on conflict (site_id) do update set
    name = excluded.name,
    origins = excluded.origins,
    currency = excluded.currency,
    secret_orders = excluded.secret_orders
