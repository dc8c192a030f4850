-- Correct user_months for these days from the events; see rebuild_days. Returns how many rows were wrong.
create or replace function rebuild_user_months(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
set enable_nestloop = off -- without statistics its cost is quadratic in the users
as $$
declare
    types varchar[];
    months right_user_month[];
begin
    perform from sites s where s.site_id = site for update;
    types := array(select distinct h.event_type from event_hours h where h.site_id = site);
    perform number_event_types(site, types);

    months := array(
        select (d.user_id, d.month, d.range_start, d.range_end, d.kinds, d.moments)::right_user_month
        from different_user_months(site, from_day, to_day) d
    );
    corrected := cardinality(months);
    -- Keep what lies outside of these days unchanged.
    months := array(
        select (
            r.user_id, r.month, r.range_start, r.range_end,
            coalesce(substr(m.kinds, 1, cut.before), '') || coalesce(r.kinds, '')
                || coalesce(substr(m.kinds, cut.upto + 1), ''),
            coalesce(m.moments[:cut.before], '{}') || coalesce(r.moments, '{}')
                || coalesce(m.moments[cut.upto + 1:], '{}')
        )::right_user_month
        from unnest(months) r
        left join user_months m on m.site_id = site and m.month = r.month and m.user_id = r.user_id
        cross join lateral (
            select
                width_bucket(r.range_start - interval '1 microsecond', m.moments) as before,
                width_bucket(r.range_end - interval '1 microsecond', m.moments) as upto
        ) cut
    );
    set local plan_cache_mode = force_custom_plan;
    delete from user_months m
    using unnest(months) r
    where m.site_id = site and m.month = r.month and m.user_id = r.user_id and r.kinds = '';
    insert into user_months (site_id, month, user_id, kinds, moments)
    select site, r.month, r.user_id, r.kinds, r.moments
    from unnest(months) r
    where r.kinds <> ''
    on conflict (site_id, month, user_id) do update set kinds = excluded.kinds, moments = excluded.moments;
end
$$;
