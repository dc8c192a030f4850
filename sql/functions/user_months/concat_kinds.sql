-- The parts of what a user did one after the other, in the order in which they come. (string_agg takes a kilobyte a user.)
create or replace aggregate concat_kinds(bytea) (
    sfunc = byteacat,
    stype = bytea,
    parallel = safe
);
