-- Which of a site's events are expired by its own retention_days? Those before this moment, the begin of a day of UTC.
-- Null: it has none, or the installation's (days; null: it has none either) is as short.
create or replace function site_expires_until(site varchar, days integer, present timestamptz) returns timestamptz
language plpgsql stable
as $$
declare
    own_days integer := (select s.retention_days from site_settings s where s.site_id = site);
begin
    if own_days < coalesce(days, own_days + 1) then
        return date_trunc('day', present - make_interval(hours => 24 * own_days), 'UTC');
    end if;
    return null;
end
$$;
