-- Which sessions do the events make that are not in the rollup yet, merged with the stored sessions? No row if the
-- rollup lags too far behind to be used.
-- site_id: the site; end: the end of the report's range; now: the current time. covered_until: the watermark of
-- sessions; open: an array of rows of sessions, as text.
--
-- The array is empty for a range that ends some hours before the watermark, unless a long session reaches from the
-- range to it.
select covered_until, open
from open_sessions(:'site_id', :'end', :'now')
