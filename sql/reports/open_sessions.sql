-- What sessions do the events of a site make that are not in the rollup yet, together with those that are? No row where
-- upkeep is behind by so much that the rollup is of no use.
-- site_id: the site; end: where the range ends that is asked about; now: the present. covered_until: the rollup has the
-- events before that; open: an array of rows of its type, as text.
--
-- Nothing is added to a range that ended some hours before that, unless a session reaches from it up to there.
select covered_until, open
from open_sessions(:'site_id', :'end', :'now')
