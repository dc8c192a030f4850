-- Link the visitors of new events to the users that they were identified as, and move what was counted for the visitors
-- before to these users. Changes `fresh`, the new events, alike. The caller has locked their sites.
--
-- The first identification counts; of several in one call, the one with the earliest event. A visitor whose id is
-- somebody's user id is not linked: two users are never merged.
create or replace function link_visitors(seen seen_visitor[], present timestamptz, inout fresh fresh_event[])
language plpgsql
as $$
#variable_conflict use_column
declare
    known seen_visitor[];
    pairs seen_visitor[];
    site varchar(255);
    froms varchar[];
    tos varchar[];
begin
    -- An inner join on purpose: Citus ships it to the shards.
    known := array(
        select (v.site_id, v.visitor_id, v.user_id, v.linked_at)::seen_visitor
        from visitors v
        join (select distinct s.site_id, s.visitor_id from unnest(seen) s) s
            on s.site_id = v.site_id and s.visitor_id = v.visitor_id
    );
    -- Visitors that are new here as somebody's, and those whose link was committed while we stored their events.
    pairs := array(
        select (p.site_id, p.visitor_id, p.user_id, p.linked_at)::seen_visitor
        from (
            select
                s.site_id, s.visitor_id, k.event_time as linked_at,
                coalesce(
                    k.user_id,
                    (array_agg(s.user_id order by s.event_time, s.user_id) filter (where s.user_id <> s.visitor_id))[1]
                ) as user_id,
                bool_or(s.user_id = s.visitor_id) as stored_as_visitor
            from unnest(seen) s
            left join unnest(known) k on k.site_id = s.site_id and k.visitor_id = s.visitor_id
            group by s.site_id, s.visitor_id, k.user_id, k.event_time
        ) p
        where p.user_id is not null and (p.linked_at is null or p.stored_as_visitor)
    );
    for site in
        select distinct p.site_id from unnest(pairs) p order by 1
    loop
        select array_agg(p.visitor_id order by p.visitor_id), array_agg(p.user_id order by p.visitor_id)
        into froms, tos
        from unnest(pairs) p
        where p.site_id = site
            and not exists (select 1 from visitors v where v.site_id = site and v.user_id = p.visitor_id)
            and not exists (
                select 1
                from events e
                where e.site_id = site and e.user_id = p.visitor_id and e.visitor_id is distinct from p.visitor_id
            );
        continue when froms is null;
        insert into visitors (site_id, visitor_id, user_id, linked_at)
        select site, p.visitor, p.person, present
        from unnest(froms, tos) p (visitor, person)
        on conflict do nothing;
        perform move_visitors(site, froms, tos);
        fresh := array(
            select (
                f.site_id, f.event_type, f.path,
                case when f.site_id = site then coalesce(tos[array_position(froms, f.user_id)], f.user_id) else f.user_id end,
                f.event_time, f.received_at, f.agent_number, f.origin_number
            )::fresh_event
            from unnest(fresh) f
        );
    end loop;
end
$$;
