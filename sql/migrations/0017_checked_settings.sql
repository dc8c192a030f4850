-- What a site says of itself is checked where it is kept: whoever sets it by hand may be mistaken, and one bad row must not
-- cost events.
update site_settings set retention_days = null where retention_days not between 1 and 36500;
update site_settings set currency = null where currency !~ '^[A-Z]{3}$';
update site_settings set origins = array_remove(origins, null) where array_position(origins, null) is not null;
alter table site_settings
    add constraint site_settings_retention_days check (retention_days between 1 and 36500),
    add constraint site_settings_currency check (currency ~ '^[A-Z]{3}$'),
    add constraint site_settings_origins check (array_position(origins, null) is null);
