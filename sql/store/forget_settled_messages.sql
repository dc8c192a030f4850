-- Forget the messages that were settled so long ago that Redis cannot deliver them again.
delete from settled_messages
where settled_at < now() - interval '3 days'
