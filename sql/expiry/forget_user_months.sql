-- Delete the rows of user_months whose events are all dropped. Not those that are only announced: that may be taken
-- back.
delete from user_months m
using kept_events k
where m.month + interval '1 month' <= k.dropped_until at time zone 'UTC'
