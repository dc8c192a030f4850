-- Delete processed messages so old that Redis cannot deliver them again.
-- last_settled: when a later message was processed.
delete from settled_messages
where settled_at < :'last_settled'::timestamptz - interval '72 hours'
