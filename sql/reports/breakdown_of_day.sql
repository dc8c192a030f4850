-- Which paths had the most events on a day? No row if top_paths has no current row for it.
-- site_id: the site; first_day: the day; limit: how many paths, 1,000 at most. rows, values, events: as in
-- breakdown_by_paths.sql.
select
    events,
    paths as values,
    (
        select jsonb_agg(jsonb_build_object('value', value, 'events', events) order by place)
        from unnest(top_paths[1:(:'limit')], top_events[1:(:'limit')]) with ordinality top (value, events, place)
    ) as rows
from top_paths
where site_id = :'site_id' and day = :'first_day' and not outdated
