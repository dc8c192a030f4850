-- Aggregate: concatenate `kinds` in input order. (string_agg takes a kilobyte per user.)
create or replace aggregate concat_kinds(bytea) (
    sfunc = byteacat,
    stype = bytea,
    parallel = safe
);
