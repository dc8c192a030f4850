-- Make a person nameless: how many rows of which tables were changed, and which visitors were theirs? Null: there is no such site.
-- site_id: the site; user_id: the person; pseudonym: what takes the place of the id.
select erased, visitors
from erase_person(:'site_id', :'user_id', :'pseudonym')
