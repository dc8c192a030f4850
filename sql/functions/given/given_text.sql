-- The same of a member of an object, as text. given_as: the member as text already, which mostly settles it: only what
-- begins as a blank, a list or an object can be none.
create or replace function given_text(given_as text, holder jsonb, name text) returns text
language sql immutable parallel safe
return case
    when given_as collate "C" >= '!' and given_as collate "C" < '[' or given_as collate "C" >= 'a' and given_as collate "C" < '{'
        then given_as
    when given_as is not null then given(holder -> name) #>> '{}'
end;
