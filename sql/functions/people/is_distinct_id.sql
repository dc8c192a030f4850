-- Is an id so long that no other text has it by chance?
create or replace function is_distinct_id(id text) returns boolean
language sql immutable
as $$
    select length(id) >= case when id collate "C" ~ '^[0-9]*$' then 5 else 4 end
$$;
