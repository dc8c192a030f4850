-- Delete the months of what users did of which no event is kept any more.
delete from user_months m
using kept_events k
where m.month + interval '1 month' <= k.events_from at time zone 'UTC'
