-- Advance a site's top_paths towards the day of `target`, by one day: the first outdated day, or else the next day that
-- has events. Is there more to do?
create or replace function advance_top_paths(site varchar, target timestamptz, out unfinished boolean)
language plpgsql
as $$
#variable_conflict use_variable
declare
    written_until date;
    target_day    date;
    outdated_day  date;
    written       boolean := false;
begin
    select s.top_paths_until, (target at time zone s.timezone)::date
    into written_until, target_day
    from sites s
    where s.site_id = site
    for update;

    select min(t.day) into outdated_day from top_paths t where t.site_id = site and t.outdated;
    if outdated_day is not null then
        perform write_top_paths(site, outdated_day);
        unfinished := true;
        return;
    end if;

    if written_until = '-infinity' then
        select coalesce(min(d.day), target_day) into written_until from path_days d where d.site_id = site;
    end if;
    while written_until < target_day and not written loop
        written := write_top_paths(site, written_until);
        written_until := written_until + 1;
    end loop;
    update sites s
    set top_paths_until = written_until
    where s.site_id = site and s.top_paths_until < written_until;
    unfinished := written_until < target_day;
end
$$;
