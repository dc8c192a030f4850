-- Make the packed events of visitors those of users. moved: their events that are kept; gone_months: months in which
-- they may have had others. The caller has locked the site.
create or replace function move_user_months(
    site varchar, froms varchar[], tos varchar[], moved moved_event[], gone_months date[]
)
returns void
language plpgsql
as $$
declare
    packed record;
begin
    for packed in
        delete from user_months m
        using (
            select d.month, d.visitor_id, tos[array_position(froms, d.visitor_id)] as user_id
            from (
                select date_trunc('month', v.event_time at time zone 'UTC')::date as month, v.visitor_id
                from unnest(moved) v
                union
                select g.month, f.visitor_id
                from unnest(gone_months) g (month)
                cross join unnest(froms) f (visitor_id)
            ) d
        ) p
        where m.site_id = site and m.month = p.month and m.user_id = p.visitor_id
        returning m.month, p.user_id, m.kinds, m.moments
    loop
        insert into user_months (site_id, month, user_id, kinds, moments)
        select site, m.month, m.user_id, m.kinds, m.moments
        from unnest(array[(site, packed.month, packed.user_id, packed.kinds, packed.moments)::user_months]) m
        on conflict (site_id, month, user_id) do update set
            (kinds, moments) = (
                select j.kinds, j.moments
                from joined_moments(user_months.kinds, user_months.moments, excluded.kinds, excluded.moments) j
            );
    end loop;
end
$$;
