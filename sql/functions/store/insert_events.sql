-- Insert the new events of a batch, and the clients' ids by which they are new. Returns how many events arrived on
-- which day, the new events, the orders and refunds among them, their visitors, and the agents and origins of all.
--
-- looks_up: look for each event before inserting it, and leave out those in `repeated`; in_doubt: look for each id too.
-- Without these, an existing row is a unique violation; see insert_new_events, which tries both ways.
create or replace function insert_events(
    batch jsonb, present timestamptz, looks_up boolean, in_doubt boolean, repeated event_key[],
    out given_days received_day[], out fresh fresh_event[], out sales new_sale[], out seen seen_visitor[],
    out known known_pair[]
)
language plpgsql
as $$
begin
    with given as materialized (
        select *, case when agent is not null or origin is not null then jsonb_build_array(agent, origin) end as said
        from rows from (
            jsonb_to_recordset(batch) as (
                site_id varchar(255) collate "C", event_id uuid, event_type varchar(100) collate "C", path text collate "C",
                user_id varchar(255) collate "C", "timestamp" timestamptz, received_at timestamptz, properties jsonb,
                id_made boolean, visitor_id varchar(255) collate "C", agent jsonb, origin jsonb
            )
        ) with ordinality e (
            site_id, event_id, event_type, path, given_user, event_time, received_at, properties, id_made, visitor_id,
            agent, origin, place
        )
    ),
    pairs as materialized (
        select g.said, p.*
        from (select distinct said from given where said is not null) g
        cross join lateral known_pair_of(g.said) p
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
        union all select null, null, null from given where place < 0 -- none: see came_before
    ),
    of_people as materialized (
        select
            given.*, coalesce(nullif(given_user, given.visitor_id), linked.user_id, given.visitor_id) as user_id,
            p.agent_number, p.origin_number
        from given
        left join linked on linked.site_id = given.site_id and linked.visitor_id = given.visitor_id
        left join pairs p on p.said = given.said
    ),
    firsts as materialized (
        select distinct on (event_id, site_id) *
        from of_people
        where id_made is not true
        order by event_id, site_id, received_at, place
    ),
    -- An inner join on purpose: Citus ships it to the shards. The planner expects one row of it, and would look it through
    -- for each event; of places below zero, which there are none of, it expects a third.
    came_before as materialized (
        select f.site_id, f.event_id
        from event_ids i
        join firsts f on f.site_id = i.site_id and f.event_id = i.event_id
        where not in_doubt
        union all select null, null from given where place < 0
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
    claimed as (select * from claimed_plainly union all select * from claimed_where_new),
    news as not materialized (
        select * from of_people where id_made
        union all
        select f.* from firsts f join claimed c on c.site_id = f.site_id and c.event_id = f.event_id
    ),
    -- Without `on conflict`, which looks for each event first and confirms it afterwards: a sixth of the time of inserting.
    inserted_plainly as (
        insert into events (
            site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at, visitor_id,
            agent_number, origin_number
        )
        select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present, visitor_id,
            agent_number, origin_number
        from news
        where not looks_up
        order by site_id, event_id, event_time
        returning events.*
    ),
    inserted_where_new as (
        insert into events (
            site_id, event_id, event_type, path, user_id, event_time, received_at, properties, stored_at, visitor_id,
            agent_number, origin_number
        )
        select site_id, event_id, event_type, path, user_id, event_time, received_at, properties, present, visitor_id,
            agent_number, origin_number
        from news n
        where looks_up and not exists (
            select 1
            from unnest(repeated) r
            where r.site_id = n.site_id and r.event_id = n.event_id and r.id_made = (n.id_made is true)
        )
        order by site_id, event_id, event_time
        on conflict do nothing
        returning events.*
    ),
    inserted as (select * from inserted_plainly union all select * from inserted_where_new)
    select
        (
            select array_agg((d.site_id, d.day, d.events)::received_day)
            from (
                select site_id, (received_at at time zone 'UTC')::date as day, count(*) as events from given group by 1, 2
            ) d
        ),
        (
            select array_agg((site_id, event_type, path, user_id, event_time, received_at, agent_number, origin_number)::fresh_event)
            from inserted
        ),
        (
            select array_agg((site_id, event_id, event_time, event_type, properties, user_id)::new_sale)
            from inserted
            where is_sale(event_type)
        ),
        (
            select array_agg((site_id, visitor_id, user_id, event_time)::seen_visitor)
            from inserted
            where visitor_id is not null
        ),
        (
            select array_agg((p.agent_number, p.agent, p.origin_number, p.origin)::known_pair order by p.said)
            from pairs p
        )
    into given_days, fresh, sales, seen, known;
end
$$;
