-- End a login. Parameter: hash.
delete from logins where hash = :'hash'
