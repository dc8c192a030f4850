-- The top paths of a day (0021), so that no order of what happens leaves a wrong row: sites.top_paths_until only moves on.
-- Before it each day that has events has its row; what comes later for such a day marks the row as outdated, and upkeep
-- writes it anew. Before this, the mark moved back to the day, and what came for a younger one left that one's row as it was.
alter table top_paths add outdated boolean not null default false;
create index top_paths_outdated on top_paths (site_id, day) where outdated;

-- Which rows went wrong cannot be told: all are written anew. Behind the mark, where it was set back to, there are none.
delete from top_paths t using sites s where s.site_id = t.site_id and t.day >= s.top_paths_until;
update top_paths set outdated = true;

-- What the row of a day is.
create type top_day as (
    day        date,
    events     bigint,
    paths      bigint,
    top_paths  text[],
    top_events bigint[]
);

-- What the rows of some days should be.
drop function different_top_paths(varchar, date, date);
drop function top_paths_of(varchar, date, date);
create function top_paths_of(site varchar, from_day date, to_day date) returns top_day[]
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return array(
        select (
            day, sum(events)::bigint, count(*),
            array_agg(path order by place) filter (where place <= 1000),
            array_agg(events order by place) filter (where place <= 1000)
        )::top_day
        from (
            select day, path, events, row_number() over (partition by day order by events desc, path) as place
            from (
                select d.day, d.path, sum(d.events)::bigint as events
                from path_days d
                where d.site_id = site and d.day between from_day and to_day
                group by d.day, d.path
            ) of_days
        ) placed
        group by day
    );
end
$$;

-- Write the row of a day as it should be; is there one? The site is locked by the caller.
create function write_top_paths(site varchar, some_day date, out written boolean)
language plpgsql
as $$
declare
    wanted top_day[] := top_paths_of(site, some_day, some_day);
begin
    delete from top_paths t where t.site_id = site and t.day = some_day;
    insert into top_paths (site_id, day, events, paths, top_paths, top_events)
    select site, w.day, w.events, w.paths, w.top_paths, w.top_events
    from unnest(wanted) w;
    written := found;
end
$$;

-- Write a site's top paths up to the day that a moment is in, by one day whose row is outdated, or else by one that has
-- events and no row; is there more to do?
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

-- Mark the rows of some days as outdated, those that are written already, for upkeep to write them anew; later days have
-- none. The site is locked by the caller.
create or replace function forget_top_paths(site varchar, days date[]) returns void
language plpgsql
as $$
declare
    written_until date := (select s.top_paths_until from sites s where s.site_id = site);
begin
    delete from top_paths t where t.site_id = site and t.day = any (days) and t.day >= written_until;
    update top_paths t set outdated = true where t.site_id = site and t.day = any (days) and not t.outdated;
    insert into top_paths (site_id, day, events, paths, top_paths, top_events, outdated)
    select site, d.day, 0, 0, '{}', '{}', true
    from unnest(days) d (day)
    where d.day < written_until
    on conflict do nothing;
end
$$;

-- Which days have a row that differs from what path_days says, or have none though they should? An outdated one is none, and
-- known to be. (See 0005 for how these are written.)
create function different_top_paths(site varchar, from_day date, to_day date)
returns table (day date, says bigint, should bigint)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    written_until date := (select s.top_paths_until from sites s where s.site_id = site);
    wanted top_day[] := top_paths_of(site, from_day, least(to_day, written_until - 1));
begin
    return query
    select coalesce(t.day, w.day), t.events, w.events
    from (
        select day, events, paths, top_paths, top_events, outdated
        from top_paths
        where site_id = site and day between from_day and to_day
    ) t
    full join unnest(wanted) w on w.day = t.day
    where t.outdated is not true
        and (t.events, t.paths, t.top_paths, t.top_events)
            is distinct from (w.events, w.paths, w.top_paths, w.top_events);
end
$$;
