-- At which users do the second to the fourth quarter of a site's users begin? An array; empty if the site has few
-- users.
-- site_id: the site.
select array(
    select user_id::text
    from sites s
    cross join generate_series(1, 3) share
    cross join lateral (
        select user_id
        from users
        where site_id = :'site_id'
        order by user_id
        offset s.users / 4 * share
        limit 1
    ) first
    where s.site_id = :'site_id' and s.users >= 20000
    order by share
) as shares
