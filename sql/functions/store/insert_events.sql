-- Insert the new events of a batch, and the clients' ids by which they are new. Returns how many events arrived on
-- which day, the new events, and the orders and refunds among them.
--
-- looks_up: look for each event before inserting it, and leave out those in `repeated`; in_doubt: look for each id too.
-- Without these, an existing row is a unique violation; see insert_new_events, which tries both ways.
create or replace function insert_events(
    batch jsonb, present timestamptz, looks_up boolean, in_doubt boolean, repeated event_key[],
    out given_days received_day[], out fresh fresh_event[], out sales new_sale[], out seen seen_visitor[]
)
language plpgsql
as $$
begin
    with given as materialized (
        select *
        from rows from (
            jsonb_to_recordset(batch) as (
                site_id     varchar(255) collate "C",
                event_id    uuid,
                event_type  varchar(100) collate "C",
                path        text collate "C",
                user_id     varchar(255) collate "C",
                "timestamp" timestamptz,
                received_at timestamptz,
                properties  jsonb,
                id_made     boolean,
                visitor_id  varchar(255) collate "C"
            )
        ) with ordinality e (
            site_id, event_id, event_type, path, given_user, event_time, received_at, properties, id_made, visitor_id, place
        )
    ),
    -- Whom visitors are known to be. A user with the visitor's own id is the visitor. An inner join on purpose: Citus
    -- ships it to the shards.
    linked as materialized (
        select v.site_id, v.visitor_id, v.user_id
        from visitors v
        join (
            select distinct site_id, visitor_id
            from given
            where visitor_id is not null and (given_user is null or given_user = visitor_id)
        ) g on g.site_id = v.site_id and g.visitor_id = v.visitor_id
    ),
    of_people as materialized (
        select given.*, coalesce(nullif(given_user, given.visitor_id), linked.user_id, given.visitor_id) as user_id
        from given
        left join linked on linked.site_id = given.site_id and linked.visitor_id = given.visitor_id
    ),
    firsts as materialized (
        select distinct on (event_id, site_id) *
        from of_people
        where id_made is not true
        order by event_id, site_id, received_at, place
    ),
    -- An inner join on purpose: Citus ships it to the shards.
    came_before as materialized (
        select f.site_id, f.event_id
        from event_ids i
        join firsts f on f.site_id = i.site_id and f.event_id = i.event_id
        where not in_doubt
    ),
    -- In order of the key: writers of the same ids wait for each other instead of deadlocking.
    claimed_plainly as (
        insert into event_ids (site_id, event_id, seen_at, made)
        select f.site_id, f.event_id, present, f.event_id::text like '______________7e1d-9e1d-%'
        from firsts f
        left join came_before b on b.site_id = f.site_id and b.event_id = f.event_id
        where not in_doubt and b.site_id is null
        order by f.event_id, f.site_id
        returning site_id, event_id
    ),
    claimed_where_new as (
        insert into event_ids (site_id, event_id, seen_at, made)
        select site_id, event_id, present, event_id::text like '______________7e1d-9e1d-%'
        from firsts
        where in_doubt
        order by event_id, site_id
        on conflict do nothing
        returning site_id, event_id
    ),
    claimed as (
        select * from claimed_plainly
        union all
        select * from claimed_where_new
    ),
    news as not materialized (
        select * from of_people where id_made
        union all
        select f.* from firsts f join claimed c on c.site_id = f.site_id and c.event_id = f.event_id
    ),
    -- Without `on conflict`: its speculative insertion looks for each event first and confirms it afterwards, which
    -- takes a sixth of the time of inserting.
    inserted_plainly as (
        insert into events (
            site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at, visitor_id
        )
        select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present, visitor_id
        from news
        where not looks_up
        order by site_id, event_id, event_time
        returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties, visitor_id
    ),
    inserted_where_new as (
        insert into events (
            site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at, visitor_id
        )
        select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present, visitor_id
        from news
        where looks_up and not exists (
            select 1
            from unnest(repeated) r
            where r.site_id = news.site_id and r.event_id = news.event_id
                and r.id_made = (news.id_made is true)
        )
        order by site_id, event_id, event_time
        on conflict do nothing
        returning site_id, event_id, event_type, path, user_id, event_time, received_at, properties, visitor_id
    ),
    inserted as (
        select * from inserted_plainly
        union all
        select * from inserted_where_new
    )
    select
        (
            select array_agg((d.site_id, d.day, d.events)::received_day)
            from (
                select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events
                from given
                group by 1, 2
            ) d
        ),
        (
            select array_agg(
                (i.site_id, i.event_type, i.path, i.user_id, i.event_time, i.received_at)::fresh_event
            )
            from inserted i
        ),
        (
            select array_agg((i.site_id, i.event_id, i.event_time, i.event_type, i.properties)::new_sale)
            from inserted i
            where is_sale(i.event_type)
        ),
        (
            select array_agg((i.site_id, i.visitor_id, i.user_id, i.event_time)::seen_visitor)
            from inserted i
            where i.visitor_id is not null
        )
    into given_days, fresh, sales, seen;
end
$$;
