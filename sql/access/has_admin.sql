-- Whether there has ever been a key of an admin.
select exists (select 1 from keys where 'admin' = any (scopes))
