-- Have sites refer to the timezones that there are, unless they do. A key and no check: a check that reads is made again
-- with every update of a row, which is several times a second.
-- In a block, so that Citus sends its nodes this statement and not all that is run with it.
do $$
begin
    if not exists (
        select 1 from pg_constraint where conname = 'sites_timezone_known' and conrelid = 'sites'::regclass
    ) then
        alter table sites
        add constraint sites_timezone_known foreign key (timezone) references timezones (name);
    end if;
end
$$
