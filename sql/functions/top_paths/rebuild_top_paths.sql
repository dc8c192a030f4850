-- Mark the rows of these days that differ from path_days as outdated; see rebuild_days. Returns how many there were.
create or replace function rebuild_top_paths(site varchar, from_day date, to_day date, out corrected bigint)
language plpgsql
as $$
declare
    wrong date[];
begin
    perform from sites s where s.site_id = site for update;
    wrong := array(select d.day from different_top_paths(site, from_day, to_day) d);
    corrected := cardinality(wrong);
    if corrected > 0 then
        perform forget_top_paths(site, wrong);
    end if;
end
$$;
