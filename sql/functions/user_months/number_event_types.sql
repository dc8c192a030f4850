-- Give a number to each of these event types of a site that has none yet. The caller has locked the site.
--
-- Bytes with a special meaning in a `like` pattern are not used as numbers.
create or replace function number_event_types(site varchar, event_types varchar[]) returns void
language plpgsql
as $$
begin
    insert into event_types (site_id, event_type, number)
    select site, fresh.event_type, free.number
    from (
        select event_type, row_number() over (order by event_type) as place
        from (
            select unnest(event_types) collate "C"
            except
            select t.event_type from event_types t where t.site_id = site
        ) unknown (event_type)
    ) fresh
    join (
        select number, row_number() over (order by number) as place
        from generate_series(1, 255) number
        where number not in (ascii('%'), ascii('_'), ascii('\'))
            and number > (select coalesce(max(t.number), 0) from event_types t where t.site_id = site)
    ) free on free.place = fresh.place;
end
$$;
