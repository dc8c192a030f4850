-- Add events of a site to its sessions: all events of a time range, plus the events in `others` and the
-- sessions in `moved`. None of them may be in
-- the sessions yet. The caller has locked the site.
create or replace function add_to_sessions(
    site varchar, range_start timestamptz, range_end timestamptz, others fresh_event[], moved sessions[] default '{}'
)
returns void
language plpgsql
as $$
declare
    gone sessions[];
    put sessions[];
begin
    with joined as materialized (
        select * from joined_sessions(site, range_start, range_end, others, moved)
    )
    select
        (select array_agg(r) from joined cross join unnest(replaced) r),
        (
            select array_agg((
                site, user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts,
                checkouts, false
            )::sessions)
            from joined
        )
    into gone, put;
    perform replace_sessions(site, gone, put);
end
$$;
