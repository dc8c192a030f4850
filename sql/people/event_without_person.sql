-- The event of a dead letter without a person.
-- event: the event; user_id: the person; visitors: their visitors; pseudonym: what takes the place of the id.
select event_without_person(:'event'::jsonb, traces_of_person(:'user_id', :'pseudonym', :'visitors'::text[]))::text
