-- Forget the ids that came so long ago that an event which has one of them again is another event.
-- now: the present; days: how many.
delete from event_ids
where seen_at < :'now'::timestamptz - make_interval(days => :'days')
