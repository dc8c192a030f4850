-- Expected rows of the rollups, for the rebuild_* functions, which first find all differences and then correct them. If
-- a count, `users` or `event_id` is null, the row should not exist.
create type right_event_hour as (event_type varchar(100) collate "C", hour timestamptz, events bigint, anonymous bigint);
create type right_path_day as (event_type varchar(100) collate "C", day date, path text collate "C", events bigint);
create type right_user_day as (day date, event_type varchar(100) collate "C", chunk integer, users bit(8192));
create type right_session_day as (
    day date, seconds integer, sessions integer, bounces integer, views integer, length interval
);
create type right_session_page_day as (day date, path text collate "C", entries integer, exits integer);
create type right_order as (order_key text collate "C", event_time timestamptz, event_id uuid);
create type right_sale_day as (
    day date, what text collate "C", outcome text collate "C", currency text collate "C", events bigint, amount numeric
);
create type right_product_day as (
    day date, currency text collate "C", product_key text collate "C", product text collate "C", name text collate "C",
    orders bigint, quantity numeric, revenue numeric
);
create type right_path_span as (
    first_day date, end_day date, event_type varchar(100) collate "C", path text collate "C", events bigint
);
create type right_path_total as (event_type varchar(100) collate "C", path text collate "C", events bigint);
create type right_event_total as (
    event_type varchar(100) collate "C", events bigint, anonymous bigint, first_hour timestamptz, last_hour timestamptz
);
create type right_user_span as (
    first_day date, end_day date, event_type varchar(100) collate "C", chunk integer, users bit(8192)
);
create type right_user_month as (
    user_id varchar(255) collate "C", month date, range_start timestamptz, range_end timestamptz,
    kinds bytea, moments timestamptz[]
);
create type unnumbered_user as (user_id varchar(255) collate "C", first_seen timestamptz);
