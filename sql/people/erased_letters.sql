-- Which of these new dead letters are of erased people, accepted before they were erased? People are erased here at all
-- only if there is a row in erased_people.
-- sites, people, times: of each letter the site, the hash of a person whom it names, and when it was accepted, or null.
select l.place, p.pseudonym
from unnest(:'sites'::text[], :'people'::bytea[], :'times'::timestamptz[]) with ordinality l (site_id, person, received_at, place)
join erased_people p on p.site_id = l.site_id and p.person = l.person
where l.received_at is null or l.received_at < p.erased_at
order by l.place
