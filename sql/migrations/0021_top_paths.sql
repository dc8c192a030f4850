-- The paths with most events of each day that is over, as one row: the breakdown of a day, which is asked for most often,
-- reads it instead of thousands of rows of path_days.
--
-- Written later than the events, by upkeep. Whatever is stored after that for a day deletes its row, and upkeep writes it
-- anew; until then a report reads path_days.
create table top_paths (
    site_id     varchar(255) collate "C",
    day         date,
    events      bigint not null,   -- of all paths, and how many these are
    paths       bigint not null,
    top_paths   text[] not null,   -- the thousand that had most events, and how many each of them had; those of the same
    top_events  bigint[] not null, -- number in the order of the paths
    primary key (site_id, day)
);

-- Before this day of the site all days have their row, if they have events.
alter table sites add top_paths_until date not null default '-infinity';

-- What the rows of some days should be.
create function top_paths_of(site varchar, from_day date, to_day date)
returns table (day date, events bigint, paths bigint, top_paths text[], top_events bigint[])
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select
        day,
        sum(events)::bigint,
        count(*),
        array_agg(path order by place) filter (where place <= 1000),
        array_agg(events order by place) filter (where place <= 1000)
    from (
        select day, path, events, row_number() over (partition by day order by events desc, path) as place
        from (
            select d.day, d.path, sum(d.events)::bigint as events
            from path_days d
            where d.site_id = site and d.day between from_day and to_day
            group by d.day, d.path
        ) of_days
    ) placed
    group by day;
end
$$;

-- Write a site's top paths up to the day that a moment is in, by one day that has events and no row; is there more to do?
create function advance_top_paths(site varchar, target timestamptz, out unfinished boolean)
language plpgsql
as $$
#variable_conflict use_variable
declare
    written_until date;
    target_day    date;
    added         bigint := 0;
begin
    select s.top_paths_until, (target at time zone s.timezone)::date
    into written_until, target_day
    from sites s
    where s.site_id = site
    for update;

    if written_until = '-infinity' then
        select coalesce(min(d.day), target_day) into written_until from path_days d where d.site_id = site;
    end if;
    while written_until < target_day and added = 0 loop
        perform from top_paths t where t.site_id = site and t.day = written_until;
        if not found then
            insert into top_paths (site_id, day, events, paths, top_paths, top_events)
            select site, t.* from top_paths_of(site, written_until, written_until) t;
            get diagnostics added = row_count;
        end if;
        written_until := written_until + 1;
    end loop;
    update sites s
    set top_paths_until = written_until
    where s.site_id = site and s.top_paths_until < written_until;
    unfinished := written_until < target_day;
end
$$;

-- Delete the rows of some days, for upkeep to write them anew. The site is locked by the caller.
create function forget_top_paths(site varchar, days date[]) returns void
language plpgsql
as $$
begin
    delete from top_paths t where t.site_id = site and t.day = any (days);
    update sites s
    set top_paths_until = least(s.top_paths_until, (select min(day) from unnest(days) day))
    where s.site_id = site;
end
$$;

-- Which rows of these days differ from what path_days says? Days without one are none. (See 0005 for how these are written.)
create function different_top_paths(site varchar, from_day date, to_day date)
returns table (day date, says bigint, should bigint)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select t.day, t.events, r.events
    from top_paths t
    left join top_paths_of(site, from_day, to_day) r on r.day = t.day
    where t.site_id = site and t.day between from_day and to_day
        and (t.events, t.paths, t.top_paths, t.top_events)
            is distinct from (r.events, r.paths, r.top_paths, r.top_events);
end
$$;

-- Delete the rows of these days that are not what path_days says; see rebuild_days. Returns how many there were.
create function rebuild_top_paths(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
as $$
declare
    wrong date[];
begin
    perform from sites s where s.site_id = site for update;
    wrong := array(select d.day from different_top_paths(site, from_day, to_day) d);
    corrected := cardinality(wrong);
    if corrected > 0 then
        perform forget_top_paths(site, wrong);
    end if;
end
$$;
