-- Delete the months of what users did whose events are all dropped. What was only said to go may be taken back.
delete from user_months m
using kept_events k
where m.month + interval '1 month' <= k.dropped_until at time zone 'UTC'
