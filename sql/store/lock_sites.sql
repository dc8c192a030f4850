-- Create these sites if they are missing, and lock them until the end of the transaction, as writers do.
-- sites: their ids.
select lock_sites(:'sites'::text[])
