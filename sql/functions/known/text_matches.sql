-- Does a text match these conditions: null for any, or an object with some of is, is_not (arrays of text), matches,
-- matches_not, contains, contains_not (regular expressions), exists, missing (true)? An empty text is missing.
create or replace function text_matches(given text, conditions jsonb) returns boolean
language sql immutable parallel safe
return conditions is null or (
    (conditions -> 'is' is null or conditions -> 'is' ? given)
    and (conditions -> 'is_not' is null or not conditions -> 'is_not' ? given)
    and (conditions ->> 'matches' is null or given ~ (conditions ->> 'matches'))
    and (conditions ->> 'matches_not' is null or given !~ (conditions ->> 'matches_not'))
    and (conditions ->> 'contains' is null or given ~ (conditions ->> 'contains'))
    and (conditions ->> 'contains_not' is null or given !~ (conditions ->> 'contains_not'))
    and (conditions -> 'exists' is null or given <> '')
    and (conditions -> 'missing' is null or given = '')
);
