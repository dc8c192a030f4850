-- Differences of sessions: where do the sessions that begin on these days differ from the events? Sessions that may
-- have begun before the first event that has not expired are left out; which session is its person's first is asked of the
-- sessions themselves. Columns says_*: actual; the same names without
-- it: expected.
create or replace function different_sessions(site varchar, first_day date, last_day date)
returns table (
    user_id varchar, began timestamptz,
    says_ended timestamptz, says_entry_page text, says_exit_page text, says_events integer, says_views integer,
    says_agent bigint, says_origin bigint, says_carts integer, says_checkouts integer, says_new boolean,
    ended timestamptz, entry_page text, exit_page text, events integer, views integer,
    agent_number bigint, origin_number bigint, carts integer, checkouts integer, is_new boolean
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    range_start timestamptz;
    range_end timestamptz;
    seen_until timestamptz;
    recounted sessions[];
begin
    select
        greatest(first_day::timestamp at time zone s.timezone, s.events_from + interval '30 minutes'),
        least((last_day + 1)::timestamp at time zone s.timezone, s.sessions_until),
        s.sessions_until
    into range_start, range_end, seen_until
    from sites s
    where s.site_id = site;
    recounted := array(
        select (
            site, r.user_id, r.began, r.ended, r.entry_page, r.exit_page, r.events, r.views, null, null, null, null,
            r.began = min(r.began) over (partition by r.user_id)
        )::sessions
        from sessions_in(site, range_start, range_end, seen_until, null) r
    );
    recounted := array(
        select (
            site, r.user_id, r.began, r.ended, r.entry_page, r.exit_page, r.events, r.views, e.numbers[1][1], e.numbers[1][2],
            e.carts, e.checkouts, r.is_new and not exists (
                select 1 from sessions b where b.site_id = site and b.user_id = r.user_id and b.began < r.began
            )
        )::sessions
        from unnest(recounted) r
        cross join lateral (
            select
                count(*) filter (where is_cart(e.event_type)) as carts,
                count(*) filter (where is_checkout(e.event_type)) as checkouts,
                (
                    array_agg(
                        array[e.agent_number, e.origin_number] order by e.event_time, e.path, e.agent_number, e.origin_number
                    )
                )[1:1] as numbers
            from events e
            where e.site_id = site and e.user_id = r.user_id and e.event_time between r.began and r.ended
        ) e
    );
    return query
    select
        coalesce(s.user_id, r.user_id), coalesce(s.began, r.began),
        s.ended, s.entry_page, s.exit_page, s.events, s.views, s.agent_number, s.origin_number, s.carts, s.checkouts,
        s.is_new,
        r.ended, r.entry_page, r.exit_page, r.events, r.views, r.agent_number, r.origin_number, r.carts, r.checkouts,
        r.is_new
    from (
        select
            user_id, began, ended, entry_page, exit_page, events, views, agent_number, origin_number, carts, checkouts,
            is_new
        from sessions
        where site_id = site and began >= range_start and began < range_end
    ) s
    full join unnest(recounted) r on r.user_id = s.user_id and r.began = s.began
    where (
            s.ended, s.entry_page, s.exit_page, s.events, s.views, s.agent_number, s.origin_number, s.carts, s.checkouts,
            s.is_new
        ) is distinct from (
            r.ended, r.entry_page, r.exit_page, r.events, r.views, r.agent_number, r.origin_number, r.carts, r.checkouts,
            r.is_new
        );
end
$$;
