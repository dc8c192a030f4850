-- Add what is new among the agents and origins of new events to those of their sites. The caller has locked the sites.
--
-- A site has at most 10,000 agents and 50,000 origins: whoever sends ever others can neither fill the disk nor slow reports
-- down. Events beyond keep their numbers, for which reports say `(other)`.
create or replace function note_known(fresh fresh_event[], known known_pair[]) returns void
language plpgsql
as $$
declare
    seen_agents agents[];
    seen_origins origins[];
    known_sites text[];
    known_numbers bigint[];
    site varchar(255);
    room bigint;
begin
    seen_agents := array(
        select (f.site_id, k.number, k.m[1], k.m[2], k.m[3], k.m[4], k.m[5])::agents
        from (select distinct e.site_id, e.agent_number as number from unnest(fresh) e) f
        join (select distinct p.agent_number as number, p.agent as m from unnest(known) p) k on k.number = f.number
        order by f.site_id, k.number
    );
    select array_agg(a.site_id order by a.site_id, a.number), array_agg(a.number order by a.site_id, a.number)
    into known_sites, known_numbers
    from agents a
    join unnest(seen_agents) s on s.site_id = a.site_id and s.number = a.number;
    seen_agents := array(
        select s
        from unnest(seen_agents) s
        where (s.site_id, s.number) not in (select k.site, k.number from unnest(known_sites, known_numbers) k (site, number))
        order by s.site_id, s.number
    );
    for site in select distinct s.site_id from unnest(seen_agents) s order by 1 loop
        room := 10000 - (select count(*) from agents a where a.site_id = site);
        insert into agents (site_id, number, country, device, browser, os, language)
        select s.site_id, s.number, s.country, s.device, s.browser, s.os, s.language
        from unnest(seen_agents) s
        where s.site_id = site
        order by s.number
        limit greatest(room, 0);
    end loop;
    seen_origins := array(
        select (f.site_id, k.number, k.m[1], k.m[2], k.m[3], k.m[4], k.m[5], k.m[6], k.m[7])::origins
        from (select distinct e.site_id, e.origin_number as number from unnest(fresh) e) f
        join (select distinct p.origin_number as number, p.origin as m from unnest(known) p) k on k.number = f.number
        order by f.site_id, k.number
    );
    select array_agg(o.site_id order by o.site_id, o.number), array_agg(o.number order by o.site_id, o.number)
    into known_sites, known_numbers
    from origins o
    join unnest(seen_origins) s on s.site_id = o.site_id and s.number = o.number;
    seen_origins := array(
        select s
        from unnest(seen_origins) s
        where (s.site_id, s.number) not in (select k.site, k.number from unnest(known_sites, known_numbers) k (site, number))
        order by s.site_id, s.number
    );
    for site in select distinct s.site_id from unnest(seen_origins) s order by 1 loop
        room := 50000 - (select count(*) from origins o where o.site_id = site);
        insert into origins (site_id, number, source, medium, campaign, term, content, referrer, channel)
        select s.site_id, s.number, s.source, s.medium, s.campaign, s.term, s.content, s.referrer, s.channel
        from unnest(seen_origins) s
        where s.site_id = site
        order by s.number
        limit greatest(room, 0);
    end loop;
end
$$;
