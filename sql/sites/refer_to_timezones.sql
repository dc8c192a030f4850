-- Add a foreign key from sites to timezones, unless it exists. Not a check constraint: a check that reads a table is
-- evaluated again with every update of a site, several times a second.
-- In a block, so that Citus sends its nodes this statement alone.
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
