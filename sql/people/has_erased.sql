-- Is there anybody whose events are to be caught?
select exists (select 1 from erased_people)
