-- Make one user's bit another's in all bitmaps of these days, and in the spans that have them. The caller has locked the
-- site.
create or replace function move_bits(site varchar, from_no integer, to_no integer, days date[]) returns void
language plpgsql
as $$
declare
    none constant bit(8192) := repeat('0', 8192)::bit(8192);
    from_chunk constant integer := from_no / 8192;
    from_bit constant integer := from_no % 8192;
    to_users constant bit(8192) := set_bit(none, to_no % 8192, 1);
    firsts date[];
    ends date[];
    was bitmap_place[];
begin
    with changed as (
        update user_days d
        set users = set_bit(d.users, from_bit, 0)
        where d.site_id = site and d.day = any (days) and d.chunk = from_chunk and get_bit(d.users, from_bit) = 1
        returning d.day, d.event_type
    )
    select array_agg((c.day, c.day + 1, c.event_type)::bitmap_place order by c.day, c.event_type) into was from changed c;
    insert into user_days (site_id, day, event_type, chunk, users)
    select site, w.first_day, w.event_type, to_no / 8192, to_users
    from unnest(was) w
    on conflict (site_id, day, event_type, chunk) do update set users = user_days.users | excluded.users;
    delete from user_days d
    where d.site_id = site and d.day = any (days) and d.chunk = from_chunk and d.users = none;

    select array_agg(s.first_day order by s.first_day, s.end_day), array_agg(s.end_day order by s.first_day, s.end_day)
    into firsts, ends
    from (select distinct s.first_day, s.end_day from unnest(days) d (day) cross join user_spans_of(d.day, '') s) s;
    with changed as (
        update user_spans s
        set users = set_bit(s.users, from_bit, 0)
        from unnest(firsts, ends) p (first_day, end_day)
        where s.site_id = site and s.first_day = p.first_day and s.end_day = p.end_day and s.chunk = from_chunk
            and get_bit(s.users, from_bit) = 1
        returning s.first_day, s.end_day, s.event_type
    )
    select array_agg((c.first_day, c.end_day, c.event_type)::bitmap_place order by c.first_day, c.end_day, c.event_type)
    into was
    from changed c;
    insert into user_spans (site_id, first_day, end_day, event_type, chunk, users)
    select site, w.first_day, w.end_day, w.event_type, to_no / 8192, to_users
    from unnest(was) w
    on conflict (site_id, first_day, end_day, event_type, chunk) do update set
        users = user_spans.users | excluded.users;
    delete from user_spans s
    using unnest(firsts, ends) p (first_day, end_day)
    where s.site_id = site and s.first_day = p.first_day and s.end_day = p.end_day and s.chunk = from_chunk
        and s.users = none;
end
$$;
