-- An order's id with the pseudonym in place of the person's id: one that no other order has.
create or replace function order_without_person(order_id text, traces person_traces) returns text
language plpgsql immutable
as $$
declare
    spelling text;
begin
    foreach spelling in array traces.spellings loop
        order_id := replace(order_id collate "C", spelling, traces.pseudonym);
    end loop;
    return order_id;
end
$$;
