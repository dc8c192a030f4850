-- Is a person's id so long that no other text has it by chance?
-- user_id: the person.
select is_distinct_id(:'user_id')
