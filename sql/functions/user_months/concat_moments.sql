-- The same of the times.
create or replace aggregate concat_moments(timestamptz[]) (
    sfunc = array_cat,
    stype = timestamptz[],
    parallel = safe
);
