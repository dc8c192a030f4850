-- Spell a timezone as IANA does.
-- spelled: as sites have it; name: as it should be.
update sites
set timezone = :'name'
where timezone = :'spelled'
