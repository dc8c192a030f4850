-- Delete the links of a site's visitors of whom no event is kept that counts for the user; looks at `most` of them, those
-- after a visitor in order. last: the last one that was looked at; null: there are no more.
--
-- An event of such a visitor that is just being stored for the user links them again (link_visitors): it is committed
-- after this, as both lock the site.
create or replace function forget_links(site varchar, after varchar, most integer, out deleted bigint, out last varchar)
language plpgsql
set lock_timeout = '2s' -- limits how long writers wait for us while we wait for others
as $$
declare
    ids varchar[];
    people varchar[];
    ended varchar[];
begin
    deleted := 0;
    select array_agg(v.visitor_id order by v.visitor_id), array_agg(v.user_id order by v.visitor_id), max(v.visitor_id)
    into ids, people, last
    from (
        select visitor_id, user_id
        from visitors
        where site_id = site and visitor_id > after
        order by visitor_id
        limit most
    ) v;
    ended := array(
        select p.visitor
        from unnest(ids, people) p (visitor, person)
        where not exists (
            select 1 from events e where e.site_id = site and e.user_id = p.person and e.visitor_id = p.visitor
        )
    );
    if ended = '{}' then
        return;
    end if;
    -- Most links stay: only now writers have to wait, and what they stored meanwhile is there.
    perform from sites s where s.site_id = site for update;
    delete from visitors v
    where v.site_id = site and v.visitor_id = any (ended) and not exists (
        select 1 from events e where e.site_id = site and e.user_id = v.user_id and e.visitor_id = v.visitor_id
    );
    get diagnostics deleted = row_count;
end
$$;
