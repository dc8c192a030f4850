-- Number those of some event types of a site that have no number yet. The site is locked by the caller.
--
-- The bytes that mean something in a pattern of `like` stand for none.
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
