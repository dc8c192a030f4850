-- How many sites are there, and how many of them no longer need the events of a partition? These know that all events
-- before `bound` have expired, and have all events before `part_ends` in their deferred rollups.
create or replace function sites_done_with(bound timestamptz, part_ends timestamptz, out all_sites bigint, out done bigint)
language plpgsql
as $$
begin
    select
        count(*),
        count(*) filter (
            where s.events_from >= bound and s.sessions_until >= part_ends and s.user_months_until >= part_ends
        )
    into all_sites, done
    from sites s;
end
$$;
