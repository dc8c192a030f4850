-- Make these sites where they are missing, and hold them until the end of the transaction, as whoever stores does.
-- sites: their ids.
select lock_sites(:'sites'::text[])
