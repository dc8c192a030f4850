-- Delete rows of a site's user_months, `most` at a time, whose events were all deleted by its own retention_days; how
-- many were they?
create or replace function delete_months_of_site(site varchar, most integer, out deleted bigint)
language plpgsql
set lock_timeout = '2s'
as $$
declare
    gone timestamptz;
begin
    select s.own_deleted_until into gone from sites s where s.site_id = site for update;
    delete from user_months m
    using (
        select month, user_id
        from user_months
        where site_id = site and month < date_trunc('month', gone at time zone 'UTC')
        order by month, user_id
        limit most
    ) old
    where m.site_id = site and m.month = old.month and m.user_id = old.user_id;
    get diagnostics deleted = row_count;
end
$$;
