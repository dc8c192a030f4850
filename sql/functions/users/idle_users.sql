-- Which numbered users have no events, although no event since their first_seen has expired?
create or replace function idle_users(site varchar)
returns table (user_id varchar)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select u.user_id
    from users u
    where u.site_id = site
        and u.first_seen >= (select coalesce(s.events_from, '-infinity') from sites s where s.site_id = site)
        and not exists (select 1 from events e where e.site_id = site and e.user_id = u.user_id);
end
$$;
