-- Forget the ids that came so long ago that an event which has one of them again is another event.
-- now: the present, or null for the clock of the database; days: how many.
delete from event_ids
where seen_at < coalesce(:'now'::timestamptz, now()) - make_interval(days => :'days')
