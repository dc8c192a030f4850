-- Differences of sale_days: where do its rows of these days differ from the events? See sql/README.md, "Recounts".
create or replace function different_sale_days(site varchar, first_day date, last_day date)
returns table (
    day date, what text, outcome text, currency text,
    says bigint, says_amount numeric, should bigint, amount numeric
)
language plpgsql stable
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    judged judged_sale[];
begin
    judged := array(
        select (
            j.site_id, j.event_id, j.event_time, j.day, j.what, j.outcome, j.currency, j.amount, j.lines, j.times
        )::judged_sale
        from judged_sales(site, first_day, last_day) j
    );
    return query
    with sales as materialized (
        select day, what, outcome, currency, amount, lines from unnest(judged)
    )
    select
        coalesce(s.day, r.day), coalesce(s.what, r.what), coalesce(s.outcome, r.outcome), coalesce(s.currency, r.currency),
        s.events, s.amount, r.events, r.amount
    from (
        select day, what, outcome, currency, events, amount
        from sale_days
        where site_id = site and day between first_day and last_day
            and day >= (select coalesce(k.first_kept, '-infinity') from kept_days k where k.site_id = site)
    ) s
    full join (
        select
            day, what, outcome, case when outcome = 'counted' then currency else '' end as currency,
            count(*) as events, sum(case when outcome = 'counted' then amount else 0 end) as amount
        from sales
        group by 1, 2, 3, 4
        union all
        select s.day, 'product', l.fault collate "C", '', count(*), 0
        from sales s
        cross join lateral read_lines(s.lines) l
        where s.what = 'order' and s.outcome = 'counted' and l.fault is not null
        group by s.day, l.fault collate "C"
    ) r on r.day = s.day and r.what = s.what and r.outcome = s.outcome and r.currency = s.currency
    where (s.events, s.amount) is distinct from (r.events, r.amount);
end
$$;
