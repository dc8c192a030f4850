-- How many events of each type has a user, and when were the first and the last?
select event_type, count(*), (select min({micros}) from events where site_id = 'shop-0' and user_id = '{user}'),
    (select max({micros}) from events where site_id = 'shop-0' and user_id = '{user}')
from events
where site_id = 'shop-0' and user_id = '{user}'
group by 1
