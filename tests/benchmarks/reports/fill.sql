-- Events of one day for the benchmark of the reports: sessions of skewed users, sites and pages.
-- {table}: where they go; day: the day (UTC); events: how many, about; users, paths: how many there are. The same every
-- time.
--
-- Half of the sessions are the largest site's, a quarter the second's and so on; of users and pages the first ones come
-- most often. A session has one to eleven events, a tenth of the sessions no user.
with sessions as (
    select
        no,
        4 - width_bucket(1 + hash_1 %% 31, array[2, 4, 8, 16]) as site,
        (%(users)s * ((hash_2 %% 1000000) / 1e6::float8) ^ 3)::bigint as user_no,
        %(day)s::date + (hash_3 %% 82800) * interval '1 second' as starts,
        1 + (hash_4 %% 11) as length,
        hash_5 %% 10 = 0 as anonymous
    from generate_series(1, %(events)s / 6) no
    cross join lateral (
        select
            abs(hashint8extended(no, 1 + %(seed)s)) as hash_1,
            abs(hashint8extended(no, 2 + %(seed)s)) as hash_2,
            abs(hashint8extended(no, 3 + %(seed)s)) as hash_3,
            abs(hashint8extended(no, 4 + %(seed)s)) as hash_4,
            abs(hashint8extended(no, 5 + %(seed)s)) as hash_5
    ) hashes
)
insert into {table} (site_id, event_id, event_type, path, user_id, event_time, received_at, properties)
select
    'shop-' || site,
    gen_random_uuid(),
    case when page = 0 then 'purchase' when page <= 4 then 'click' else 'page_view' end,
    '/products/' || (%(paths)s * ((hash / 32 %% 1000000) / 1e6::float8) ^ 2)::int,
    case when not anonymous then 'user-' || user_no end,
    starts + step * interval '45 seconds' + (hash %% 30000) * interval '1 millisecond',
    starts + step * interval '46 seconds',
    case when page = 0 then jsonb_build_object(
        'order_id', no || '-' || step || '-' || %(seed)s, 'revenue', (hash %% 20000) / 100.0, 'currency', 'EUR',
        'products', jsonb_build_array(jsonb_build_object('product_id', 'p' || hash %% 500, 'price', 9.5, 'quantity', 2))
    ) end
from sessions
cross join lateral generate_series(1, length) step
cross join lateral (select abs(hashint8extended(no * 16 + step, %(seed)s)) as hash) hashes
cross join lateral (select hash / 64 %% 25 as page) pages
