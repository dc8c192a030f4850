"""Orders and refunds as the events have them, judged in SQL: what the rollups of sales are compared with."""

#: Orders and refunds as they are read, and what becomes of them.
SALES = """
    select
        e.site_id, e.event_id, e.event_time, (e.event_time at time zone s.timezone)::date as day,
        case when is_refund(e.event_type) then 'refund' else 'order' end as what, r.*
    from events e join sites s using (site_id), read_sale(e.properties, is_refund(e.event_type)) r
    where is_sale(e.event_type)
"""
JUDGED_SALES = f"""
    select
        site_id, event_id, event_time, day, what,
        case when nth = 1 then currency else '' end as currency,
        case when nth = 1 then amount else 0 end as amount,
        case when nth = 1 and what = 'order' then lines end as lines,
        coalesce(fault, case when nth = 1 then 'counted' else 'repeated' end) as outcome
    from (
        select
            *,
            case
                when fault is not null then 0
                when what = 'refund' or order_id is null then 1
                else row_number() over (
                    partition by site_id, what, order_id, fault is null order by event_time, event_id
                )
            end as nth
        from ({SALES}) sales
    ) numbered
"""
