-- Add the users of late events to the spans that have their days already. The caller has locked their sites.
create or replace function add_to_user_spans(fresh fresh_event[]) returns void
language plpgsql
as $$
declare
    late record;
begin
    for late in
        select
            f.site_id, s.user_spans_until as united_until, (f.event_time at time zone s.timezone)::date as day,
            array_agg(f) as events
        from unnest(fresh) f
        join sites s on s.site_id = f.site_id
        where f.user_id is not null and (f.event_time at time zone s.timezone)::date < s.user_spans_until
        group by 1, 2, 3
    loop
        insert into user_spans (site_id, first_day, end_day, event_type, chunk, users)
        select
            late.site_id, s.first_day, s.end_day, s.of_type, u.user_no / 8192,
            bit_or(set_bit(repeat('0', 8192)::bit(8192), u.user_no % 8192, 1))
        from (select distinct event_type, user_id from unnest(late.events)) f
        join users u on u.site_id = late.site_id and u.user_id = f.user_id
        cross join user_spans_of(late.day, f.event_type) s
        where s.end_day <= late.united_until
        group by s.first_day, s.end_day, s.of_type, u.user_no / 8192
        on conflict (site_id, first_day, end_day, event_type, chunk) do update set
            users = user_spans.users | excluded.users
        where user_spans.users <> (user_spans.users | excluded.users);
    end loop;
end
$$;
