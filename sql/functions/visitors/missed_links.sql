-- Was any of these visitors, whose events were stored for the visitor's own id, linked to a user by another transaction
-- meanwhile? The caller has locked their sites.
create or replace function missed_links(seen seen_visitor[], out missed boolean)
language plpgsql
as $$
begin
    -- An inner join on purpose: Citus ships it to the shards.
    select count(*) > 0
    into missed
    from visitors v
    join (
        select distinct s.site_id, s.visitor_id
        from unnest(seen) s
        where s.user_id = s.visitor_id
    ) s on s.site_id = v.site_id and s.visitor_id = v.visitor_id;
end
$$;
