-- Is a person's id so long that no other text has it by chance?
-- user_id: the person.
select (traces_of_person(:'user_id', '')).distinct_id
