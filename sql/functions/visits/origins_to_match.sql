-- Which origins of a site match the filters of visits? The same as agents_to_match. What comes from nowhere has the
-- channel Direct.
create or replace function origins_to_match(site varchar, filters jsonb, out numbers bigint[], out but boolean)
language plpgsql stable
as $$
declare
    names constant text[] := '{source,medium,campaign,term,content,referrer,channel}';
    other constant boolean := known_matches(names, array_fill('(other)'::text, array[7]), filters);
begin
    if not coalesce(filters ?| names, false) then
        return;
    end if;
    but := other;
    numbers := array(
        select o.number
        from origins o
        where o.site_id = site
            and known_matches(
                names, array[o.source, o.medium, o.campaign, o.term, o.content, o.referrer, o.channel], filters
            ) <> other
        order by o.number
    );
    if known_matches(names, array_fill(''::text, array[6]) || 'Direct'::text, filters) <> other then
        numbers := numbers || 0::bigint;
    end if;
end
$$;
