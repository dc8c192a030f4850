-- Note that a person is to be erased.
-- site_id, erasure_id, person (the hash), user_id, asked_by: see the table erasures.
insert into erasures (site_id, erasure_id, person, user_id, asked_by)
values (:'site_id', :'erasure_id', :'person', :'user_id', :'asked_by')
