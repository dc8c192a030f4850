-- The buckets of a half-open range; the first and the last may be partial. grain: minute, hour, day, week or month of
-- the zone; step: no longer than the shortest bucket, so that none is skipped when clocks change.
create or replace function buckets(range_start timestamptz, range_end timestamptz, grain text, step interval, zone text)
returns table (at timestamptz)
language plpgsql stable rows 50
as $$
begin
    return query
    select distinct date_trunc(grain, moment, zone)
    from (
        select generate_series(range_start, range_end - interval '1 microsecond', step) as moment
        union all
        select range_end - interval '1 microsecond'
    ) moments;
end
$$;
