-- Parse the properties of an order or refund. fault: why it cannot be counted, or null. lines: its products, if there
-- are any.
--
-- A single query, so that this function and read_lines are inlined into the query that calls them. `offset 0` makes
-- PostgreSQL compute the subquery above it once, however often it is used.
create or replace function read_sale(properties jsonb, is_refund boolean)
returns table (order_id text, amount numeric, currency text, fault text, lines jsonb)
language sql immutable parallel safe
as $$
    select
        order_id,
        case when is_refund then abs(amount) else amount end,
        currency,
        case
            when is_public then 'public_key'
            when amount_given is null then 'revenue_missing'
            when amount is null then 'revenue_invalid'
            when amount < 0 and not is_refund then 'revenue_negative'
            when currency_given is null then 'currency_missing'
            when currency is null then 'currency_invalid'
        end,
        lines
    from (
        select
            *,
            exact_number(amount_given) as amount,
            case
                when currency_given collate "C" ~ '^ *[A-Za-z]{3} *$' then upper(btrim(currency_given) collate "C")
            end as currency,
            coalesce(given(products), given(items)) as lines
        from (
            select
                -- Ingestion marks so what no secret key came with, of sites whose sales need one.
                properties -> 'public_key' is not distinct from 'true'::jsonb as is_public,
                given_order_id(properties) as order_id,
                coalesce(
                    given(properties -> 'revenue'), given(properties -> 'total'), given(properties -> 'value')
                ) as amount_given,
                given_text(properties ->> 'currency', properties, 'currency') as currency_given,
                case jsonb_typeof(properties -> 'products')
                    when 'string' then coalesce(json_list(properties ->> 'products'), properties -> 'products')
                    else properties -> 'products'
                end as products,
                case jsonb_typeof(properties -> 'items')
                    when 'string' then coalesce(json_list(properties ->> 'items'), properties -> 'items')
                    else properties -> 'items'
                end as items
            offset 0
        ) given
        offset 0
    ) read
$$;
