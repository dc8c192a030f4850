-- Add events of a site to user_months: all events of a time range, plus the events in `others`. None of them may be in
-- it yet. The caller has locked the site.
create or replace function add_to_user_months(site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[])
returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    event_types varchar[];
begin
    event_types := array(
        select event_type from events where site_id = site and event_time >= range_start and event_time < range_end
        union
        select event_type from unnest(others)
    );
    perform number_event_types(site, event_types);

    insert into user_months (site_id, month, user_id, kinds, moments)
    select
        site, month, user_id,
        string_agg(set_byte('\x00', 0, number), '' order by event_time, number),
        array_agg(event_time order by event_time, number)
    from (
        select
            date_trunc('month', added.event_time at time zone 'UTC')::date as month,
            added.user_id, added.event_time, t.number
        from (
            select user_id, event_type, event_time
            from events
            where site_id = site and user_id is not null and event_time >= range_start and event_time < range_end
            union all
            select user_id, event_type, event_time
            from unnest(others)
            where user_id is not null
        ) added
        join event_types t on t.site_id = site and t.event_type = added.event_type
    ) placed
    group by month, user_id
    on conflict (site_id, month, user_id) do update set
        (kinds, moments) = (
            select j.kinds, j.moments
            from joined_moments(user_months.kinds, user_months.moments, excluded.kinds, excluded.moments) j
        );
end
$$;
