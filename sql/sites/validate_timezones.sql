-- From now on all sites are known to have a timezone that there is.
do $$
begin
    if exists (
        select 1
        from pg_constraint
        where conname = 'sites_timezone_known' and conrelid = 'sites'::regclass and not convalidated
    ) then
        alter table sites validate constraint sites_timezone_known;
    end if;
end
$$
