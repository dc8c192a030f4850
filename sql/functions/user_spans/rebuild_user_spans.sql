-- Correct the spans with any of these days from user_days; see rebuild_days. Returns how many rows were wrong.
create or replace function rebuild_user_spans(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
set plan_cache_mode = auto
as $$
declare
    spans right_user_span[];
begin
    perform from sites s where s.site_id = site for update;

    spans := array(
        select (d.first_day, d.end_day, d.event_type, d.chunk, d.should)::right_user_span
        from different_user_spans(site, from_day, to_day) d
    );
    set local plan_cache_mode = force_custom_plan;
    delete from user_spans u
    using unnest(spans) r
    where u.site_id = site and u.first_day = r.first_day and u.end_day = r.end_day
        and u.event_type = r.event_type and u.chunk = r.chunk and r.users is null;
    insert into user_spans (site_id, first_day, end_day, event_type, chunk, users)
    select site, r.first_day, r.end_day, r.event_type, r.chunk, r.users
    from unnest(spans) r
    where r.users is not null
    on conflict (site_id, first_day, end_day, event_type, chunk) do update set users = excluded.users;
    corrected := cardinality(spans);
end
$$;
