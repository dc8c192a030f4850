-- The expected rows of top_paths for some days, from path_days.
create or replace function top_paths_of(site varchar, from_day date, to_day date) returns top_day[]
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
