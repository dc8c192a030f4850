-- Give a site a key for hashes of people, unless it has one.
-- site_id: the site; key: the key.
update sites
set person_key = :'key'
where site_id = :'site_id' and person_key is null
