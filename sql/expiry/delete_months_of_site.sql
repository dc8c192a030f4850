-- Delete rows of a site's user_months whose events were all deleted.
-- site_id: the site; most: how many at most.
select delete_months_of_site(:'site_id', :'most'::integer)
