-- Which bitmaps of user_days differ from a site's events, how many users does each have, and whose bits are wrong?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show. Of the users
-- whose bits are wrong it shows the first ten numbers.
select
    json_build_object('event_type', event_type, 'day', day, 'chunk', chunk, 'users', array(
        select 8192 * chunk + no
        from generate_series(0, 8191) no
        where coalesce(get_bit(says, no), 0) <> coalesce(get_bit(should, no), 0)
        order by no
        limit 10
    )) as key,
    bit_count(says) as says,
    bit_count(should) as should,
    count(*) over () as differences
from different_user_days(:'site_id', :'first_day', :'last_day')
order by day, event_type, chunk
limit :'most'
