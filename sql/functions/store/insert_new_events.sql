-- Insert the new events of a batch, as insert_events does, and lock their sites. An event that was stored before, or
-- that another transaction stores at the same time, is stored once. Runs in READ COMMITTED: it has to see what was
-- committed while it waited for its locks.
--
-- Events that erased people sent before they were erased are stored without them (without_erased). Whom nobody had
-- erased when the batch was looked through, but somebody has when the sites are locked, is looked for again. So are
-- visitors who became users meanwhile.
create or replace function insert_new_events(
    batch jsonb, present timestamptz,
    out given_days received_day[], out fresh fresh_event[], out sales new_sale[], out seen seen_visitor[],
    out known known_pair[]
)
language plpgsql
as $$
declare
    sites text[];
    repeated event_key[];
    looks_up boolean := false;
    in_doubt boolean := false;
    looked_for text[] := '{}'; -- the pseudonyms of the erased people that were looked for
    caught erased_events[];
    given constant jsonb := batch;
    fault text;
    faulty_table text;
begin
    if exists (select 1 from erased_people) then
        select w.batch, w.known, w.caught into batch, looked_for, caught from without_erased(given) w;
    end if;
    loop
        begin
            select i.given_days, i.fresh, i.sales, i.seen, i.known
            into given_days, fresh, sales, seen, known
            from insert_events(batch, present, looks_up, in_doubt, repeated) i;

            sites := array(select distinct d.site_id from unnest(given_days) d);
            perform lock_sites(sites);
            if exists (select 1 from erased_people p where p.site_id = any (sites) and p.pseudonym <> all (looked_for)) then
                raise exception using errcode = 'TJ001';
            end if;
            if seen is not null and (select missed from missed_links(seen)) then
                raise exception using errcode = 'TJ001';
            end if;
            if not looks_up then
                if (select have from have_made_ids(sites)) then
                    raise unique_violation;
                end if;
            end if;
            if caught is not null then
                perform note_caught(caught);
            end if;
            exit;
        exception when sqlstate 'TJ001' then
            select w.batch, w.known, w.caught into batch, looked_for, caught from without_erased(given) w;
        when unique_violation or check_violation then
            get stacked diagnostics fault = returned_sqlstate, faulty_table = table_name;
            if faulty_table like 'event\_ids%' and not in_doubt then -- on Citus the name of a shard, event_ids_102008
                in_doubt := true; -- another transaction stored one of the ids meanwhile
                continue;
            end if;
            -- An event was sent again after its id was deleted here; or a client sent an event with an id from our
            -- response, perhaps with a time that has no partition. Both are rare: look for the existing events.
            if looks_up or fault = '23514' and not has_made_ids_of_clients(batch) then
                raise;
            end if;
            looks_up := true;
            in_doubt := true;
            sites := array(select distinct e.site_id from jsonb_to_recordset(batch) e (site_id text));
            perform lock_sites(sites);
            repeated := repeated_made_ids(batch);
        end;
    end loop;
end
$$;
