-- Make a person of a site nameless: the pseudonym takes the place of their id, and what else tells who they were goes.
-- The counts of all reports stay. Locks the site first, as writers do. Returns the changed rows by table; dead letters
-- and the queue are the caller's (db/people/erase.py), for the person's visitors too. Null: there is no such site.
create or replace function erase_person(site varchar, person varchar, pseudonym text, out erased jsonb, out visitors text[])
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_variable
declare
    traces person_traces;
    zone text;
    old_paths text[];
    new_paths text[];
    mentions text[];
    ids uuid[];
    times timestamptz[];
    short_days date[];
    some_day date;
    step bigint;
begin
    perform set_config('citus.multi_shard_modify_mode', 'sequential', true);
    -- In the order of writers: events, then sites.
    lock table events in access share mode;
    select s.timezone into zone from sites s where s.site_id = site for update;
    if zone is null then
        return;
    end if;

    visitors := array(
        select v.visitor_id from visitors v where v.site_id = site and v.user_id = person order by v.visitor_id
    );
    traces := traces_of_person(person, pseudonym, visitors);
    delete from visitors v where v.site_id = site and (v.user_id = person or v.visitor_id = person);
    get diagnostics step = row_count;
    erased := jsonb_build_object('visitors', step);

    old_paths := array(
        select p.path
        from (
            select d.path from path_days d where d.site_id = site and traces.distinct_id and d.path ~ traces.in_path
            union
            select e.path from events e where e.site_id = site and e.user_id = person
            union
            select unnest(array[s.entry_page, s.exit_page]) from sessions s where s.site_id = site and s.user_id = person
        ) p
        where path_without_person(p.path, traces, true) <> p.path
        order by p.path
    );
    new_paths := array(
        select path_without_person(p.path, traces, true)
        from unnest(old_paths) with ordinality p (path, place)
        order by p.place
    );
    mentions := array(
        select '%' || regexp_replace(s.id, '([\\%_])', '\\\1', 'g') || '%'
        from unnest(traces.spellings) s (id)
        where traces.distinct_id
        order by s.id
    );

    select
        array_agg(e.event_id order by e.event_id, e.event_time),
        array_agg(e.event_time order by e.event_id, e.event_time),
        array_agg(distinct given_order_id(e.properties) order by given_order_id(e.properties)) filter (
            where traces.distinct_id
                and mentions_person(given_order_id(e.properties), traces, e.user_id is not distinct from person)
        ),
        array_agg(distinct (e.event_time at time zone zone)::date order by (e.event_time at time zone zone)::date) filter (
            where not traces.distinct_id and e.path = any (old_paths)
        )
    into ids, times, traces.orders, short_days
    from events e
    where e.site_id = site and (
        e.user_id = person
        or e.visitor_id = any (person || visitors)
        or traces.distinct_id and (e.path = any (old_paths) or e.properties::text like any (mentions))
    );
    traces.orders := coalesce(traces.orders, '{}') || array(
        select o.order_key
        from orders o
        where o.site_id = site and mentions_person(o.order_key, traces, false)
        order by o.order_key
    );

    -- Those of others that name the person, and then their own.
    update events e
    set
        visitor_id = case when e.visitor_id = any (person || visitors) then null else e.visitor_id end,
        path = coalesce(new_paths[array_position(old_paths, e.path)], e.path),
        properties = properties_without_person(e.properties, traces, false, 'top')
    from unnest(ids, times) k (event_id, event_time)
    where e.site_id = site and e.event_id = k.event_id and e.event_time = k.event_time
        and e.user_id is distinct from person
        and (
            e.visitor_id = any (person || visitors)
            or array_position(old_paths, e.path) is not null
            or e.properties is distinct from properties_without_person(e.properties, traces, false, 'top')
        );
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('events_of_others', step);
    update events e
    set
        user_id = pseudonym,
        visitor_id = null,
        path = coalesce(new_paths[array_position(old_paths, e.path)], e.path),
        properties = properties_without_person(e.properties, traces, true, 'top')
    from unnest(ids, times) k (event_id, event_time)
    where e.site_id = site and e.event_id = k.event_id and e.event_time = k.event_time and e.user_id = person;
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('events', step);

    erased := erased || erase_from_sessions(site, person, pseudonym, traces.distinct_id, old_paths, new_paths);
    update user_months m set user_id = pseudonym where m.site_id = site and m.user_id = person;
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('user_months', step);
    update users u set user_id = pseudonym where u.site_id = site and u.user_id = person;
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('users', step);
    update counted_orders o set user_id = pseudonym where o.site_id = site and o.user_id = person;
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('counted_orders', step) || erase_from_known(site, traces, mentions);

    update orders o
    set order_key = k.new_key
    from (
        select index_key(t.order_id) as old_key, index_key(order_without_person(t.order_id, traces)) as new_key
        from unnest(traces.orders) t (order_id)
        group by 1, 2
    ) k
    where o.site_id = site and o.order_key = k.old_key;
    get diagnostics step = row_count;
    erased := erased || jsonb_build_object('orders', step);

    if traces.distinct_id then
        erased := erased || erase_from_paths(site, old_paths, new_paths);
    else
        -- Others have events of these paths: what is theirs stays.
        foreach some_day in array coalesce(short_days, '{}') loop
            perform rebuild_days(site, some_day, some_day);
            perform rebuild_path_spans(site, some_day, some_day);
            perform rebuild_top_paths(site, some_day, some_day);
        end loop;
        perform rebuild_totals(site);
    end if;
end
$$;
