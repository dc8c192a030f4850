-- Differences of user_months: where do its rows differ from the events of these days? Both sides are cut to these days.
-- How these functions are written: sql/README.md, "Recounts".
-- Columns says_*: actual values; kinds, moments: expected values.
create or replace function different_user_months(site varchar, from_day date, to_day date)
returns table (
    user_id varchar, month date, range_start timestamptz, range_end timestamptz,
    says_kinds bytea, says_moments timestamptz[], kinds bytea, moments timestamptz[]
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end   timestamptz;
begin
    select
        greatest(from_day::timestamp at time zone s.timezone, s.events_from),
        least((to_day + 1)::timestamp at time zone s.timezone, s.user_months_until)
    into range_start, range_end
    from sites s
    where s.site_id = site;
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.month, r.month), range_start, range_end,
        s.kinds, s.moments, r.kinds, r.moments
    from (
        select
            user_id, month,
            substr(kinds, cut.before + 1, greatest(cut.upto - cut.before, 0)) as kinds,
            moments[cut.before + 1:cut.upto] as moments
        from user_months
        cross join lateral (
            select
                width_bucket(range_start - interval '1 microsecond', moments) as before,
                width_bucket(range_end - interval '1 microsecond', moments) as upto
        ) cut
        where site_id = site
            and month >= date_trunc('month', range_start at time zone 'UTC') and month < range_end at time zone 'UTC'
            and cut.upto > cut.before
    ) s
    full join (
        select
            user_id, month,
            string_agg(set_byte('\x00', 0, number), '' order by event_time, number) as kinds,
            array_agg(event_time order by event_time, number) as moments
        from (
            select
                e.user_id, date_trunc('month', e.event_time at time zone 'UTC')::date as month, e.event_time, t.number
            from events e
            join event_types t on t.site_id = site and t.event_type = e.event_type
            where e.site_id = site and e.user_id is not null and e.event_time >= range_start and e.event_time < range_end
        ) placed
        group by user_id, month
    ) r on r.user_id = s.user_id and r.month = s.month
    where (s.kinds, s.moments) is distinct from (r.kinds, r.moments);
end
$$;
