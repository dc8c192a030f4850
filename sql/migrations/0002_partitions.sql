-- Partitions of events: weeks (Monday to Monday, UTC), and whole years for what is older than the start of last year.
-- So indexes of what is written now stay small, retention is a drop, and odd dates cannot make a thousand tables.

create view event_partitions as
select
    part.relname as name,
    bounds[1]::timestamptz as starts,
    bounds[2]::timestamptz as ends
from pg_inherits
join pg_class part on part.oid = inhrelid
cross join regexp_match(pg_get_expr(part.relpartbound, part.oid), $$FROM \('(.+)'\) TO \('(.+)'\)$$) bounds
where inhparent = 'events'::regclass;

-- Make the partition that holds `moment`, unless it is there. What is there already bounds the new one, so that a gap
-- is filled exactly even when the grain of its time has changed since.
create function make_partition(moment timestamptz) returns void
language plpgsql
set timezone = 'UTC'
as $$
declare
    grain text := case when moment < date_trunc('year', now()) - interval '1 year' then 'year' else 'week' end;
    lower timestamptz := date_trunc(grain, moment);
    upper timestamptz := date_trunc(grain, moment) + ('1 ' || grain)::interval;
    part  text;
begin
    if moment < '1970-01-01' or moment > now() + interval '60 days' then
        raise check_violation using message = format('no partition is made for %s', moment);
    end if;
    perform pg_advisory_xact_lock(hashtext('make_partition'));
    if exists (select from event_partitions where starts <= moment and ends > moment) then
        return;
    end if;
    lower := greatest(lower, (select max(ends) from event_partitions where ends <= moment));
    upper := least(upper, (select min(starts) from event_partitions where starts > moment));
    part := format('events_%s_%s', to_char(lower, 'YYYYMMDD'), to_char(upper, 'YYYYMMDD'));
    -- Attached rather than made in place: that lets others write to events meanwhile.
    execute format('create table %I (like events including defaults)', part);
    execute format('alter table events attach partition %I for values from (%L) to (%L)', part, lower, upper);
end
$$;
