-- Correct the spelling of a timezone to IANA's.
-- spelled: the spelling that sites have; name: IANA's.
update sites
set timezone = :'name'
where timezone = :'spelled'
