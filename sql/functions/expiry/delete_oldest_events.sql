-- Delete a site's oldest events, about `most` of them, that are expired by its own retention_days; until when are they
-- gone, and is there more to do? Null: none may be deleted. They may be if all of these are known to be true: the site's
-- announcement says so, and was made at least five minutes ago; they are still old enough; the site has them in its
-- deferred rollups. days: RETENTION_DAYS, or null.
--
-- Events go in order of time, and own_deleted_until goes with them in the same transaction: before it nothing is left,
-- from it on all is there, wherever this is stopped.
create or replace function delete_oldest_events(
    site varchar, days integer, present timestamptz, most integer,
    out deleted bigint, out deleted_until timestamptz, out unfinished boolean
)
language plpgsql
set lock_timeout = '2s' -- limits how long writers wait for us while we wait for others
as $$
declare
    bound timestamptz;
    gone  timestamptz;
    until timestamptz;
    done  boolean;
begin
    unfinished := false;
    -- In the order of those who drop partitions: no partition goes meanwhile. Then in that of writers.
    perform pg_advisory_xact_lock(hashtext('kept_events'));
    lock table events in row exclusive mode;
    select s.own_events_from, s.own_deleted_until into bound, gone
    from sites s
    where s.site_id = site and s.own_said_at <= present - interval '5 minutes'
    for update;
    until := site_expires_until(site, days, present);
    if bound is null or until is null or least(bound, until) <= gone then
        return;
    end if;
    bound := least(bound, until);
    select s.events_from >= bound and s.sessions_until >= bound and s.user_months_until >= bound into done
    from sites s
    where s.site_id = site;
    if done is not true then
        return;
    end if;

    select e.event_time + interval '1 microsecond' into until
    from events e
    where e.site_id = site and e.event_time < bound
    order by e.event_time
    offset most - 1
    limit 1;
    unfinished := until < bound is true;
    deleted_until := case when unfinished then until else bound end;
    -- Keep first_seen of the users whose first event is among them: reports tell new users from returning ones by it.
    update users u
    set first_seen = e.first_seen
    from (
        select user_id, min(event_time) as first_seen
        from events
        where site_id = site and event_time < deleted_until and user_id is not null
        group by user_id
    ) e
    where u.site_id = site and u.user_id = e.user_id and u.first_seen > e.first_seen;
    delete from events e where e.site_id = site and e.event_time < deleted_until;
    get diagnostics deleted = row_count;
    update sites s set own_deleted_until = deleted_until where s.site_id = site;
end
$$;
