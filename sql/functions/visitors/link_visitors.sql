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
    pairs seen_visitor[];
    known seen_visitor[];
    site varchar(255);
    froms varchar[];
    tos varchar[];
begin
    pairs := array(
        select distinct on (s.site_id, s.visitor_id) (s.site_id, s.visitor_id, s.user_id, s.event_time)::seen_visitor
        from unnest(seen) s
        where s.user_id <> s.visitor_id
        order by s.site_id, s.visitor_id, s.event_time, s.user_id
    );
    if pairs = '{}' then
        return;
    end if;
    -- An inner join on purpose: Citus ships it to the shards.
    known := array(
        select (v.site_id, v.visitor_id, v.user_id, v.linked_at)::seen_visitor
        from visitors v
        join unnest(pairs) p on p.site_id = v.site_id and p.visitor_id = v.visitor_id
    );
    pairs := array(
        select (p.site_id, p.visitor_id, p.user_id, p.event_time)::seen_visitor
        from unnest(pairs) p
        left join unnest(known) k on k.site_id = p.site_id and k.visitor_id = p.visitor_id
        where k.site_id is null
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
