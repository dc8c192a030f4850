-- Aggregate: concatenate `moments` in input order, as concat_kinds does with `kinds`.
create or replace aggregate concat_moments(timestamptz[]) (
    sfunc = array_cat,
    stype = timestamptz[],
    parallel = safe
);
