-- Forget the messages that were settled so long before others that Redis cannot deliver them again.
-- last_settled: when others were.
delete from settled_messages
where settled_at < :'last_settled'::timestamptz - interval '72 hours'
