-- Which agents of a site match the filters of visits (known_matches)? but: whether all do but those in numbers, where 0
-- is of visits of which nothing is known. Null: all.
create or replace function agents_to_match(site varchar, filters jsonb, out numbers bigint[], out but boolean)
language plpgsql stable
as $$
declare
    names constant text[] := '{country,device,browser,os,language}';
    other constant boolean := known_matches(names, array_fill('(other)'::text, array[5]), filters);
begin
    if not coalesce(filters ?| names, false) then
        return;
    end if;
    but := other;
    numbers := array(
        select a.number
        from agents a
        where a.site_id = site
            and known_matches(names, array[a.country, a.device, a.browser, a.os, a.language], filters) <> other
        order by a.number
    );
    if known_matches(names, array_fill(''::text, array[5]), filters) <> other then
        numbers := numbers || 0::bigint;
    end if;
end
$$;
