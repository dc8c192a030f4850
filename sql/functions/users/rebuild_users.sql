-- Correct the counters of a site's users. With `renumber`, also remove users who should not have their number: users
-- without events, and users who share a number. All days must be rebuilt after that; it numbers the removed users again
-- if they have events. Returns how many rows were wrong.
create or replace function rebuild_users(site varchar, renumber boolean, out corrected bigint)
language plpgsql
as $$
declare
    idle varchar[];
    step bigint;
begin
    perform from sites s where s.site_id = site for update;
    corrected := 0;

    if renumber then
        idle := array(select i.user_id from idle_users(site) i);
        delete from users u
        where u.site_id = site and u.user_id = any (idle);
        get diagnostics corrected = row_count;

        delete from users u
        where u.site_id = site and u.user_id = any (array(
            select s.user_id
            from (
                select user_id, row_number() over (partition by user_no order by first_seen, user_id) as nth
                from users
                where site_id = site
            ) s
            where s.nth > 1
        ));
        get diagnostics step = row_count;
        corrected := corrected + step;
    end if;

    update sites s
    set users = greatest(s.users, n.next_no), vacant_numbers = greatest(s.users, n.next_no) - n.people
    from (select coalesce(max(user_no) + 1, 0) as next_no, count(*) as people from users where site_id = site) n
    where s.site_id = site
        and (s.users < n.next_no or s.vacant_numbers <> greatest(s.users, n.next_no) - n.people);
    get diagnostics step = row_count;
    corrected := corrected + step;
end
$$;
