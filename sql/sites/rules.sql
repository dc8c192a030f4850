-- What ingestion needs to know of all registered sites.
select site_id, origins, currency, secret_orders, retention_days
from site_settings
order by site_id
