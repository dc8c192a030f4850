-- Advance a site's user_spans towards the day of `target`, by one day that has users. Is there more to do?
create or replace function advance_user_spans(site varchar, target timestamptz, out unfinished boolean)
language plpgsql
as $$
#variable_conflict use_variable
declare
    united_until date;
    target_day   date;
    added        bigint := 0;
begin
    select s.user_spans_until, (target at time zone s.timezone)::date
    into united_until, target_day
    from sites s
    where s.site_id = site
    for update;

    if united_until = '-infinity' then
        select coalesce(min(d.day), target_day) into united_until from user_days d where d.site_id = site;
    end if;
    while united_until < target_day and added = 0 loop
        insert into user_spans (site_id, first_day, end_day, event_type, chunk, users)
        select site, s.first_day, s.end_day, s.of_type, d.chunk, bit_or(d.users)
        from user_days d
        cross join user_spans_of(united_until, d.event_type) s
        where d.site_id = site and d.day between date_trunc('month', united_until) and united_until
            and d.day >= s.first_day and s.end_day = united_until + 1
        group by s.first_day, s.end_day, s.of_type, d.chunk;
        get diagnostics added = row_count;
        united_until := united_until + 1;
    end loop;
    update sites s
    set user_spans_until = united_until
    where s.site_id = site and s.user_spans_until < united_until;
    unfinished := united_until < target_day;
end
$$;
