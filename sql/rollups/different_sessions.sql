-- Which sessions of a site differ from its events, how many events does each have, and in which columns do they differ?
-- site_id: the site; first_day, last_day: days of its timezone, both included; most: how many to show.
select
    json_build_object(
        'user_id', user_id,
        'began', to_char(began at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'in', array_remove(array[
            case when says_ended is distinct from d.ended then 'ended' end,
            case when says_entry_page is distinct from d.entry_page then 'entry_page' end,
            case when says_exit_page is distinct from d.exit_page then 'exit_page' end,
            case when says_events is distinct from d.events then 'events' end,
            case when says_views is distinct from d.views then 'views' end,
            case when says_agent is distinct from d.agent_number then 'agent_number' end,
            case when says_origin is distinct from d.origin_number then 'origin_number' end,
            case when says_carts is distinct from d.carts then 'carts' end,
            case when says_checkouts is distinct from d.checkouts then 'checkouts' end,
            case when says_new is distinct from d.is_new then 'is_new' end
        ], null)
    ) as key,
    says_events as says,
    d.events as should,
    count(*) over () as differences
from different_sessions(:'site_id', :'first_day', :'last_day') d
order by began, user_id
limit :'most'
