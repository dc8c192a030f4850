-- Is a site's counter of users, which is the next user's number, above all numbers in use, and are as many below it
-- vacant as nobody has?
-- site_id: the site; most: how many to show.
select json_build_object('column', c.name) as key, c.says, c.should, count(*) over () as differences
from sites s
cross join (
    select coalesce(max(user_no) + 1, 0) as next_no, count(*)::integer as people
    from users
    where site_id = :'site_id'
) n
cross join lateral (
    values
        ('users', s.users, greatest(s.users, n.next_no)),
        ('vacant_numbers', s.vacant_numbers, greatest(s.users, n.next_no) - n.people)
) c (name, says, should)
where s.site_id = :'site_id' and c.says <> c.should
order by c.name
limit :'most'
