-- Delete ids so old that an event with the same id is another event.
-- now: the current time; days: after how many days.
delete from event_ids
where seen_at < :'now'::timestamptz - make_interval(days => :'days')
