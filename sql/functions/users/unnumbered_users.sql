-- Which users of these days' events have no number?
create or replace function unnumbered_users(site varchar, first_day date, last_day date)
returns table (user_id varchar, first_seen timestamptz)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select p.user_id, p.first_seen
    from (
        select user_id, min(event_time) as first_seen
        from events
        where site_id = site
            and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
            and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
            and (event_time at time zone zone)::date between first_day and last_day
            and user_id is not null
        group by user_id
    ) p
    left join users u on u.site_id = site and u.user_id = p.user_id
    where u.user_id is null;
end
$$;
