-- How many events and users has each site, how many events name none, and when were the first and the last?
select site_id, count(*), count(distinct user_id), count(*) - count(user_id), min({micros}), max({micros})
from events
group by 1
