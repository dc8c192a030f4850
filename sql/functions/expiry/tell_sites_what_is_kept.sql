-- Copy the announced expiry to every site (sites.events_from). One site at a time and in order, as writers lock them.
create or replace function tell_sites_what_is_kept() returns void
language plpgsql
as $$
declare
    bound timestamptz := (select events_from from kept_events);
    site  varchar(255);
begin
    for site in
        select site_id
        from sites
        where coalesce(events_from, '-infinity') < bound
        order by site_id
    loop
        update sites set events_from = bound where site_id = site;
    end loop;
end
$$;
