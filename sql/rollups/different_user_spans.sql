-- Which bitmaps of user_spans differ from a site's user_days, how many users does each have, and whose bits are wrong?
-- site_id: the site; first_day, last_day: days of its timezone, both included: spans with any of these days; most: how
-- many to show. Of the users whose bits are wrong it shows the first ten numbers.
select
    json_build_object(
        'event_type', event_type, 'first_day', first_day, 'end_day', end_day, 'chunk', chunk, 'users', array(
            select 8192 * chunk + no
            from generate_series(0, 8191) no
            where coalesce(get_bit(says, no), 0) <> coalesce(get_bit(should, no), 0)
            order by no
            limit 10
        )
    ) as key,
    bit_count(says) as says,
    bit_count(should) as should,
    count(*) over () as differences
from different_user_spans(:'site_id', :'first_day', :'last_day')
order by first_day, end_day, event_type, chunk
limit :'most'
