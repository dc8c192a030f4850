-- Stop catching what erased people sent: no message is that old.
-- now: the current time.
delete from erased_people
where ends_at < :'now'
