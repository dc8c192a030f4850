-- The properties of an event without a person's id: what holds it goes, at every level. own: an event of the person's;
-- of that, personal fields go as well.
--
-- What reports count by stays. `level`: `top` for an event's properties, `line` for a product, `deep` for the rest.
-- The values of a sale that cannot be read anyway become texts that cannot be read either. The ids of orders get the
-- pseudonym in place of the person's id; traces.orders lists them.
create or replace function properties_without_person(given jsonb, traces person_traces, own boolean, level text) returns jsonb
language plpgsql immutable
as $$
declare
    cleaned jsonb;
    part record;
    is_product boolean;
begin
    if given is null then
        return null;
    end if;
    if jsonb_typeof(given) = 'array' then
        cleaned := '[]';
        for part in select value from jsonb_array_elements(given) with ordinality e (value, place) order by place loop
            if level = 'line' or not value_mentions_person(part.value, traces, own) then
                cleaned := cleaned || jsonb_build_array(properties_without_person(part.value, traces, own, level));
            end if;
        end loop;
        return cleaned;
    end if;
    if jsonb_typeof(given) <> 'object' then
        return given;
    end if;
    is_product := level = 'line' or given ?| array['product_id', 'sku', 'item_id', 'item_name', 'price'];
    cleaned := '{}';
    for part in select key, value from jsonb_each(given) order by key collate "C" loop
        if level = 'top' and part.key in ('order_id', 'transaction_id') then
            if part.value #>> '{}' = any (traces.orders) then
                part.value := to_jsonb(order_without_person(part.value #>> '{}', traces));
            end if;
        elsif level = 'top' and part.key in ('revenue', 'total', 'value', 'currency') then
            if jsonb_typeof(part.value) in ('object', 'array') and part.value not in ('{}', '[]')
                or traces.distinct_id and jsonb_typeof(part.value) = 'string' and exact_number(part.value) is null
                    and value_mentions_person(part.value, traces, own) then
                part.value := '"erased"';
            end if;
        elsif level = 'top' and part.key in ('products', 'items') then
            part.value := properties_without_person(part.value, traces, own, 'line');
            if part.value = '{}' and given -> part.key <> '{}' then
                part.value := '{"erased": true}';
            end if;
        elsif level = 'line'
            and part.key in ('product_id', 'sku', 'item_id', 'name', 'item_name', 'price', 'quantity') then
            null;
        elsif own and is_personal(part.key) and not (is_product and part.key = 'name')
            or mentions_person(part.key, traces, own) or value_mentions_person(part.value, traces, own) then
            continue;
        else
            part.value := properties_without_person(part.value, traces, own, 'deep');
        end if;
        cleaned := cleaned || jsonb_build_object(part.key, part.value);
    end loop;
    return cleaned;
end
$$;
