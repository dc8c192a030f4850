-- The dead letters that may hold a person's id.
-- site_id: the site; site_text: its name, as bytes; quoted, address: the person's id as JSON and addresses have it, as
-- bytes; user_id: the person.
select id, site_id, payload, error
from dead_letters
where (site_id = :'site_id' or site_id is null and position(:'site_text'::bytea in payload) > 0)
    and (
        position(:'quoted'::bytea in payload) > 0
        or position(:'address'::bytea in payload) > 0
        or strpos(error, :'user_id') > 0
    )
order by failed_at, id
