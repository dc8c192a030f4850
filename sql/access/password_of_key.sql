-- The password of a share link, which may be null. Parameter: hash.
select password from keys where hash = :'hash'
