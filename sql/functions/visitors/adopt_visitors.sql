-- Take ids of a site for visitors' that were sent as users' before a moment, and count for people what was counted for
-- them: people[i] is as whom ids[i] was first identified, null: as nobody yet. Who was a user since is left as is.
-- Returns the events and the visitors that were changed, and how many of these are users' now.
create or replace function adopt_visitors(
    site varchar, ids varchar[], people varchar[], before timestamptz, present timestamptz,
    out changed bigint, out adopted bigint, out linked bigint
)
language plpgsql
as $$
#variable_conflict use_column
declare
    chosen varchar[];
    froms varchar[];
    tos varchar[];
begin
    -- In the order of writers: events, then sites.
    lock table events in row exclusive mode;
    perform from sites s where s.site_id = site for update;
    chosen := array(
        select i.id
        from unnest(ids) i (id)
        where not exists (select 1 from visitors v where v.site_id = site and v.user_id = i.id)
            and not exists (
                select 1
                from events e
                where e.site_id = site and e.user_id = i.id and e.visitor_id is distinct from i.id
                    and (e.received_at >= before or e.visitor_id is not null)
            )
        order by i.id
    );
    update events e set visitor_id = e.user_id where e.site_id = site and e.user_id = any (chosen) and e.visitor_id is null;
    get diagnostics changed = row_count;
    adopted := cardinality(chosen);

    insert into visitors (site_id, visitor_id, user_id, linked_at)
    select site, p.visitor, p.person, present
    from unnest(ids, people) p (visitor, person)
    where p.visitor = any (chosen) and p.person <> p.visitor
    on conflict do nothing;
    select array_agg(v.visitor_id order by v.visitor_id), array_agg(v.user_id order by v.visitor_id)
    into froms, tos
    from visitors v
    where v.site_id = site and v.visitor_id = any (chosen);
    linked := coalesce(cardinality(froms), 0);
    if linked > 0 then
        perform move_visitors(site, froms, tos);
    end if;
end
$$;
