-- Which time range does a report of a site cover, and which rollups fit it? See report_range for the result.
-- site_id: the site; now: the current time; timezone: of the report, or null for the site's. The range is given as days
-- (first_day, end_day: half-open; without end_day, today is the last), as instants (start, end: half-open), or as the
-- name of a period; the others are null.
select
    timezone, site_timezone, first_day, end_day, starts as start, ends as end, hours_fit, days_fit,
    path_spans_until, user_spans_until, kept_from
from report_range(
    :'site_id', :'now', :'timezone', :'first_day', :'end_day', :'start', :'end', :'period'
)
