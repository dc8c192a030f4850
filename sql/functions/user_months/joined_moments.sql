-- Merge two parts of a user's packed events, in order of time. The order is stated inside each aggregate: a plan need
-- not keep the order of a subquery.
create or replace function joined_moments(
    inout kinds bytea, inout moments timestamptz[], more_kinds bytea, more_moments timestamptz[]
)
language plpgsql immutable parallel safe
as $$
begin
    if moments[cardinality(moments)] < more_moments[1] then
        kinds := kinds || more_kinds;
        moments := moments || more_moments;
        return;
    end if;
    select string_agg(set_byte('\x00', 0, kind), '' order by moment, kind), array_agg(moment order by moment, kind)
    into kinds, moments
    from (
        select get_byte(kinds, place::integer - 1) as kind, moment
        from unnest(moments) with ordinality m (moment, place)
        union all
        select get_byte(more_kinds, place::integer - 1), moment
        from unnest(more_moments) with ordinality m (moment, place)
    ) events;
end
$$;
