-- Announce the expiry of events: all partitions that end by `moment` have expired. If that is earlier than what was
-- announced before (events are to be kept for longer now), take the announcement back, as far as no partition was
-- dropped yet. What a site's own retention_days announced (forget_events_of_site) stays.
create or replace function forget_events_before(moment timestamptz, present timestamptz) returns void
language plpgsql
set lock_timeout = '2s' -- limits how long writers wait for us while we wait for others
as $$
declare
    said  timestamptz;
    gone  timestamptz;
    bound timestamptz;
    site  varchar(255);
begin
    if moment is null or present is null then
        raise null_value_not_allowed using message = 'which events are to be forgotten, and when is it?';
    end if;
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    select k.events_from, k.dropped_until into said, gone from kept_events k;
    bound := greatest(
        coalesce((select max(ends) from event_partitions where ends <= moment), '-infinity'), coalesce(gone, '-infinity')
    );
    if bound > coalesce(said, '-infinity') then
        insert into kept_events (events_from, said_at)
        values (bound, present)
        on conflict (only_row) do update set events_from = excluded.events_from, said_at = excluded.said_at;
        perform tell_sites_what_is_kept();
    elsif bound < said then
        if bound = '-infinity' then
            delete from kept_events;
        else
            update kept_events set events_from = bound;
        end if;
        for site in
            select s.site_id from sites s where s.events_from = said order by s.site_id
        loop
            update sites s
            set events_from = nullif(greatest(bound, s.own_events_from), '-infinity')
            where s.site_id = site and s.events_from = said;
        end loop;
    end if;
end
$$;
