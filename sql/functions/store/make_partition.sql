-- Create the partition that holds `moment`, unless it exists. Existing partitions bound it, so that a gap is filled
-- exactly even if the length of partitions at that time has changed since. None is created for expired times: an event
-- that is sent again would be counted twice, as its first row is gone.
create or replace function make_partition(moment timestamptz, present timestamptz default now()) returns void
language plpgsql
set timezone = 'UTC'
as $$
declare
    grain text := case when moment < date_trunc('year', present) - interval '1 year' then 'year' else 'week' end;
    lower timestamptz := date_trunc(grain, moment);
    upper timestamptz := date_trunc(grain, moment) + ('1 ' || grain)::interval;
    kept  timestamptz;
    part  text;
begin
    if (moment >= '1970-01-01' and moment <= present + interval '60 days') is not true then
        raise check_violation using message = format('no partition is made for %s', moment);
    end if;
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    if exists (select 1 from event_partitions where starts <= moment and ends > moment) then
        -- Whoever asks has not found it. A session that reads the list of partitions just while another one is attached
        -- keeps the old list until the table changes: change it, by setting what is set.
        begin
            alter table events alter column event_time set statistics -1;
        exception when feature_not_supported then
            null; -- on Citus; its sessions on the nodes read such lists of their own
        end;
        return;
    end if;
    kept := (select events_from from kept_events);
    if moment < kept then
        raise check_violation
            using message = format('no partition is made for %s: events before %s are no longer kept', moment, kept);
    end if;
    -- greatest() and least() ignore nulls: there may be no partition before or after, and no expiry.
    lower := greatest(lower, kept, (select max(ends) from event_partitions where ends <= moment));
    upper := least(upper, (select min(starts) from event_partitions where starts > moment));
    part := format('events_%s_%s', to_char(lower, 'YYYYMMDD'), to_char(upper, 'YYYYMMDD'));
    -- Attach it instead of creating it in place: others can write to events meanwhile.
    execute format('create table %I (like events including defaults)', part);
    execute format('alter table events attach partition %I for values from (%L) to (%L)', part, lower, upper);
end
$$;
