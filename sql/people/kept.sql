-- How much is kept of a person, by kind, but for dead letters and the queue?
-- site_id: the site; user_id: the person.
select
    (select count(*) from users where site_id = :'site_id' and user_id = :'user_id') as "user",
    (select count(*) from visitors where site_id = :'site_id' and user_id = :'user_id') as visitor,
    (select count(*) from events where site_id = :'site_id' and user_id = :'user_id') as event,
    (select count(*) from sessions where site_id = :'site_id' and user_id = :'user_id') as session,
    (select count(*) from user_months where site_id = :'site_id' and user_id = :'user_id') as month,
    (select count(*) from counted_orders where site_id = :'site_id' and user_id = :'user_id') as "order",
    (select count(*) from erasures where site_id = :'site_id' and user_id = :'user_id') as erasure
