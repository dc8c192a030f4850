-- Count for users what was counted for their visitors: tos[i] takes the place of froms[i], which nobody else is. The
-- caller has locked the site.
create or replace function move_visitors(site varchar, froms varchar[], tos varchar[]) returns void
language plpgsql
as $$
declare
    moved moved_event[];
    gone_months date[];
begin
    -- Months with events that have expired: user_months has them until the last event of the month is gone.
    gone_months := array(
        select m.month::date
        from sites s
        cross join (select min(u.first_seen) as since from users u where u.site_id = site and u.user_id = any (froms)) f
        cross join generate_series(
            date_trunc('month', f.since at time zone 'UTC'), s.events_from at time zone 'UTC', interval '1 month'
        ) m (month)
        where s.site_id = site and f.since < s.events_from
    );
    with changed as (
        update events e
        set user_id = p.person
        from unnest(froms, tos) p (visitor, person)
        where e.site_id = site and e.user_id = p.visitor
        returning p.visitor, e.event_time
    )
    select array_agg((c.visitor, c.event_time)::moved_event order by c.visitor, c.event_time)
    into moved
    from changed c;

    update counted_orders o
    set user_id = p.person
    from unnest(froms, tos) p (visitor, person)
    where o.site_id = site and o.user_id = p.visitor;
    perform move_numbers(site, froms, tos, coalesce(moved, '{}'));
    perform move_sessions(site, froms, tos);
    perform move_user_months(site, froms, tos, coalesce(moved, '{}'), gone_months);
end
$$;
