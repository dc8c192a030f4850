-- Differences of user_days: where do its bitmaps of these days differ from the events? See sql/README.md, "Recounts".
-- Users without a number are left out here; see unnumbered_users.
create or replace function different_user_days(site varchar, first_day date, last_day date)
returns table (day date, event_type varchar, chunk integer, says bit, should bit)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    zone text;
begin
    select k.timezone, greatest(first_day, k.first_kept) into zone, first_day from kept_days k where k.site_id = site;
    return query
    select coalesce(s.day, r.day), coalesce(s.event_type, r.event_type), coalesce(s.chunk, r.chunk), s.users, r.users
    from (
        select day, event_type, chunk, users
        from user_days
        where site_id = site and day between first_day and last_day
    ) s
    full join (
        select
            p.day, p.event_type, u.user_no / 8192 as chunk,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), u.user_no % 8192, 1)) as users
        from (
            select distinct (event_time at time zone zone)::date as day, event_type, user_id
            from events
            where site_id = site
                and event_time >= first_day::timestamp at time zone zone - interval '3 hours'
                and event_time < (last_day + 1)::timestamp at time zone zone + interval '3 hours'
                and (event_time at time zone zone)::date between first_day and last_day
                and user_id is not null
        ) p
        join users u on u.site_id = site and u.user_id = p.user_id
        group by p.day, p.event_type, u.user_no / 8192
    ) r on r.day = s.day and r.event_type = s.event_type and r.chunk = s.chunk
    where s.users is distinct from r.users;
end
$$;
