-- The same for a member of an object, as text. given_as: the member as text (->>). It usually decides: only a text that
-- begins like a blank, a list or an object needs the full check.
create or replace function given_text(given_as text, holder jsonb, name text) returns text
language sql immutable parallel safe
return case
    when given_as collate "C" >= '!' and given_as collate "C" < '[' or given_as collate "C" >= 'a' and given_as collate "C" < '{'
        then given_as
    when given_as is not null then given(holder -> name) #>> '{}'
end;
