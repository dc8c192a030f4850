-- What an event says of its agent and origin, both in one array.
create or replace function known_pair_of(given jsonb, out pair known_pair)
language plpgsql immutable parallel safe
as $$
begin
    pair.agent := known_members(given -> 0, '{country,device,browser,os,language}');
    pair.agent_number := known_number(pair.agent);
    pair.origin := known_members(given -> 1, '{source,medium,campaign,term,content,referrer,channel}');
    pair.origin_number := known_number(pair.origin);
end
$$;
