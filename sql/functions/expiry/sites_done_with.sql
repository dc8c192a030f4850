-- How many sites are there, and how many of them need the events of a partition no longer? That is: were told that those
-- before `bound` are not kept, and have all before `part_ends` in their rollups.
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
