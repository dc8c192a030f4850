-- Make the numbers of visitors, and their bits in all bitmaps, those of users. A user without a number takes the
-- visitor's with its bits. moved: the visitors' events that are kept. The caller has locked the site.
create or replace function move_numbers(site varchar, froms varchar[], tos varchar[], moved moved_event[]) returns void
language plpgsql
as $$
declare
    zone text;
    kept_from timestamptz;
    merged record;
    to_no integer;
    days date[];
    vacant integer := 0;
begin
    -- Each person's first visitor in order of numbers, if the person has no number yet.
    with renamed as (
        select distinct on (p.person) p.visitor, p.person
        from unnest(froms, tos) p (visitor, person)
        join users u on u.site_id = site and u.user_id = p.visitor
        where not exists (select 1 from users o where o.site_id = site and o.user_id = p.person)
        order by p.person, u.user_no
    )
    update users u
    set user_id = r.person
    from renamed r
    where u.site_id = site and u.user_id = r.visitor;

    select s.timezone, s.events_from into zone, kept_from
    from sites s
    where s.site_id = site;
    for merged in
        delete from users u
        using unnest(froms, tos) p (visitor, person)
        where u.site_id = site and u.user_id = p.visitor
        returning p.visitor, p.person, u.user_no, u.first_seen
    loop
        update users u
        set first_seen = least(u.first_seen, merged.first_seen)
        where u.site_id = site and u.user_id = merged.person
        returning u.user_no into to_no;
        days := array(
            select distinct (m.event_time at time zone zone)::date
            from unnest(moved) m
            where m.visitor_id = merged.visitor
        );
        if merged.first_seen < kept_from then
            -- The events that had these bits are gone: the bits tell where they were.
            days := days || array(
                select distinct d.day
                from user_days d
                where d.site_id = site and d.day <= (kept_from at time zone zone)::date and d.chunk = merged.user_no / 8192
                    and get_bit(d.users, merged.user_no % 8192) = 1 and d.day <> all (days)
            );
        end if;
        perform move_bits(site, merged.user_no, to_no, days);
        vacant := vacant + 1;
    end loop;
    update sites s
    set vacant_numbers = s.vacant_numbers + vacant
    where s.site_id = site and vacant > 0;
end
$$;
