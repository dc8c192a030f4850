-- Delete links of visitors of whom no event is kept: how many, and which one was looked at last? Null: there are no more.
-- site_id: the site; after: only visitors after this one; most: how many are looked at.
select deleted, last
from forget_links(:'site_id', :'after', :'most'::integer)
