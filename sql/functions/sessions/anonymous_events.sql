-- How many events of a range have no user, of those that match the filters (event_matches)?
create or replace function anonymous_events(site varchar, range_start timestamptz, range_end timestamptz, filters jsonb)
returns bigint
language plpgsql stable
set plan_cache_mode = force_custom_plan -- known filters become plain conditions, which can use an index
as $$
begin
    return (
        select count(*)
        from events
        where site_id = site and user_id is null and event_time >= range_start and event_time < range_end
            and event_matches(event_type, path, user_id, visitor_id, properties, filters)
    );
end
$$;
