-- Announce the expiry of a site's events by its own retention_days, as forget_events_before does for all sites: what it
-- returns is announced. If that is earlier than what was announced before, the announcement is taken back as far as
-- nothing was deleted yet. days: RETENTION_DAYS, or null.
create or replace function forget_events_of_site(site varchar, days integer, present timestamptz, out bound timestamptz)
language plpgsql
set lock_timeout = '2s' -- limits how long writers wait for us while we wait for others
as $$
declare
    said     timestamptz;
    gone     timestamptz;
    of_all   timestamptz;
begin
    if present is null then
        raise null_value_not_allowed using message = 'when is it?';
    end if;
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    of_all := (select k.events_from from kept_events k);
    select s.own_events_from, s.own_deleted_until into said, gone from sites s where s.site_id = site for update;
    bound := greatest(site_expires_until(site, days, present), gone);
    if bound is distinct from said then
        update sites s
        set
            own_events_from = bound,
            own_said_at = case when bound > coalesce(said, '-infinity') then present else s.own_said_at end,
            events_from = greatest(of_all, bound)
        where s.site_id = site;
    end if;
end
$$;
